"""The inference service's settings; the environment is read, and set for the libraries, here alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field

from kargah.adapters.settings import S3Settings
from kargah.web.settings import WebSettings


class InferenceSettings(WebSettings, S3Settings):
    """`models_loaded`: how many models stay in memory; `queue_length`: how many requests may wait for one model;
    `max_tokens`: of an answer whose request does not say; None: as many as usual on the device. `compute_threads` 0
    means as many as there are CPUs; `cache_gib` bounds the downloaded files; `tokens_seconds` is what a look at a
    dataset's tokens may compute."""

    port: int = Field(default=8083, ge=1, le=65535)
    registry_url: str
    datasets_url: str
    data_dir: Path = Path("data/inference")
    models_loaded: int = Field(default=2, ge=1, le=64)
    queue_length: int = Field(default=16, ge=0, le=1000)
    max_tokens: int | None = Field(default=None, ge=1)
    compute_threads: int = Field(default=0, ge=0)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    cache_gib: float = Field(default=50.0, gt=0)
    tokens_seconds: float = Field(default=20.0, gt=0, le=300)

    @property
    def cache_dir(self) -> Path:
        return self.data_dir / "cache"

    @property
    def models_dir(self) -> Path:
        return self.data_dir / "models"

    @property
    def tokenizers_dir(self) -> Path:
        return self.data_dir / "tokenizers"

    @property
    def cache_bytes(self) -> int:
        return int(self.cache_gib * (1 << 30))


def keep_libraries_offline() -> None:
    """Models come from the platform's own store: no library is to ask a hub. Call before transformers is imported."""
    os.environ.update(
        {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}
    )


def cpu_count() -> int:
    """The CPUs that this process may use."""
    return len(os.sched_getaffinity(0))
