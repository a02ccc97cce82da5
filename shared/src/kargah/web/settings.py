"""Settings that every HTTP service shares. A service's `config.py` mixes them in."""

from __future__ import annotations

import ipaddress
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from kargah.telemetry.logging import LogFormat


class WebSettings(BaseSettings):
    """`KARGAH_HOST`, `KARGAH_PORT` and so on.

    Nobody has to log in yet, so a service refuses to listen beyond this machine unless told to:
    `KARGAH_ALLOW_OPEN_NETWORK=1`. `allowed_hosts` (a JSON list) are extra Host names that browsers may use, for
    example behind a reverse proxy.
    """

    model_config = SettingsConfigDict(env_prefix="KARGAH_")

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    allow_open_network: bool = False
    allowed_hosts: list[str] = []
    log_format: LogFormat = "console"
    log_level: str = "INFO"
    threads: int = Field(default=64, ge=1, le=1024)
    graceful_seconds: int = Field(default=15, ge=1)

    @property
    def loopback(self) -> bool:
        """Whether only this machine can connect."""
        return is_loopback(self.host)

    @model_validator(mode="after")
    def _refuse_open_network(self) -> Self:
        if not self.loopback and not self.allow_open_network:
            raise ValueError(
                f"KARGAH_HOST={self.host} would let anyone on the network in, and there is no login yet. "
                "Use 127.0.0.1, or set KARGAH_ALLOW_OPEN_NETWORK=1 where a firewall or private network protects it."
            )
        return self


def is_loopback(host: str) -> bool:
    """Whether `host` (a name or an address, without a port) can only mean this machine."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
