"""The agent's settings, and the environment it was started with."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from kargah.jobstore.settings import RetrySettings
from kargah.telemetry.logging import LogFormat
from kargah.web.settings import is_loopback
from worker.zygote.entry import PRELOAD, TRAINER


class AgentSettings(RetrySettings):
    """`KARGAH_...`; the object store and the doorbell read theirs by themselves.

    `grace_seconds` is what SIGTERM gives the trainer to save a checkpoint. The `*_deadline_seconds` are how long a
    trainer may say nothing in each phase before it counts as hung. `threads` 0 means as many as there are CPUs.
    """

    model_config = SettingsConfigDict(env_prefix="KARGAH_", extra="ignore")

    database_url: str = Field(repr=False)
    registry_url: str
    datasets_url: str
    host: str = "127.0.0.1"
    allow_open_network: bool = False
    metrics_port: int = Field(default=9100, ge=0, le=65535)
    data_dir: Path = Path("data/worker")
    worker_name: str = Field(default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}", min_length=1)
    kinds: Annotated[tuple[str, ...], NoDecode] = ("train", "install")
    lease_seconds: float = Field(default=15.0, ge=1)
    heartbeat_seconds: float = Field(default=0.5, gt=0)
    grace_seconds: float = Field(default=15.0, ge=0)
    threads: int = Field(default=0, ge=0)
    preparing_deadline_seconds: float = Field(default=600.0, gt=0)
    training_deadline_seconds: float = Field(default=300.0, gt=0)
    evaluating_deadline_seconds: float = Field(default=900.0, gt=0)
    saving_deadline_seconds: float = Field(default=600.0, gt=0)
    cache_gib: float = Field(default=50.0, gt=0)
    zygote: bool = True
    zygote_preload: str = PRELOAD
    trainer_entry: str = TRAINER
    describe_module: str = "worker.trainer.describe"
    log_format: LogFormat = "console"
    log_level: str = "INFO"

    @field_validator("kinds", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _refuse_open_network(self) -> Self:
        if not is_loopback(self.host) and not self.allow_open_network:
            raise ValueError(
                f"KARGAH_HOST={self.host} would show job names and metrics to anyone on the network. "
                "Use 127.0.0.1, or set KARGAH_ALLOW_OPEN_NETWORK=1 where a private network protects it."
            )
        return self

    @property
    def deadlines(self) -> Mapping[str, float]:
        """Seconds of silence allowed, by phase."""
        return {
            "preparing": self.preparing_deadline_seconds,
            "training": self.training_deadline_seconds,
            "evaluating": self.evaluating_deadline_seconds,
            "saving": self.saving_deadline_seconds,
        }

    @property
    def cpu_threads(self) -> int:
        """Threads that a trainer computes with."""
        return self.threads or os.cpu_count() or 1

    @property
    def cache_dir(self) -> Path:
        """What outlives attempts: blobs by sha256, tokenised data."""
        return self.data_dir / "cache"


def inherited_environment() -> Mapping[str, str]:
    """What the agent itself was started with, secrets included."""
    return os.environ
