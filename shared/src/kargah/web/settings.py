"""Settings that every HTTP service shares. A service's `config.py` mixes them in."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from kargah.access.secret import HOW
from kargah.access.settings import AccessSettings
from kargah.domain.hosts import is_loopback
from kargah.telemetry.logging import LogFormat


class ListenSettings(AccessSettings):
    """Of every process: where it listens, how it logs, and which OpenTelemetry collector gets its traces. Where nobody
    must log in (`KARGAH_AUTH=off`), it refuses to listen beyond this machine."""

    model_config = SettingsConfigDict(env_prefix="KARGAH_", extra="ignore")

    host: str = "127.0.0.1"
    log_format: LogFormat = "console"
    log_level: str = "INFO"
    traces_endpoint: str | None = Field(default=None, pattern=r"^https?://")
    traces_sample: float = Field(default=1.0, ge=0, le=1)

    @property
    def loopback(self) -> bool:
        """Whether only this machine can connect."""
        return is_loopback(self.host)

    @model_validator(mode="after")
    def _refuse_open_network(self) -> Self:
        if not self.loopback and self.auth == "off":
            raise ValueError(
                f"KARGAH_HOST={self.host} would let anyone on the network in. Use 127.0.0.1, or make people log in: "
                f"KARGAH_AUTH=on with KARGAH_JWT_SECRET, the same for all services. {HOW}"
            )
        return self


class WebSettings(ListenSettings):
    """Of the HTTP services. `allowed_hosts` (a JSON list) are extra Host names that browsers may use, for example
    behind a reverse proxy. Who sends less than 1 KiB a second for `slow_seconds` is not waited for any longer."""

    port: int = Field(default=8000, ge=1, le=65535)
    allowed_hosts: list[str] = []
    threads: int = Field(default=64, ge=1, le=1024)
    graceful_seconds: int = Field(default=15, ge=1)
    slow_seconds: float = Field(default=60, gt=0)
