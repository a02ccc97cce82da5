"""The gateway's settings; the environment is read here alone."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from kargah.access.passwords import weakness
from kargah.access.settings import given_secret
from kargah.adapters.settings import BellSettings
from kargah.jobstore.settings import RetrySettings
from kargah.web.settings import WebSettings


class PeerSettings(BaseSettings):
    """Where the other services are. For display: `public_url`, the gateway's own address as people type it, and
    `grafana_url`, where its dashboards are."""

    model_config = SettingsConfigDict(env_prefix="KARGAH_")

    registry_url: str
    datasets_url: str
    inference_url: str
    public_url: str | None = None
    worker_url: str | None = None
    s3_endpoint: str | None = None
    grafana_url: str | None = None


class GatewaySettings(WebSettings, BellSettings, PeerSettings, RetrySettings):
    """`admin_password` (or a file that holds it): of the user `admin`, who is made where nobody is yet.
    `requests_per_minute`: of one principal. `max_waiting`: jobs of one project that wait, unless it has a limit of its
    own. `audit_days`: how long the record of changes is kept. `trusted_proxies` (a JSON list of networks): whose
    X-Forwarded-For counts. `sweep_seconds`: how often lost workers are looked for.
    `studio_dir`: the built Studio, served at `/studio/`.
    `event_streams`: how many SSE clients at once, `event_streams_each`: of one principal; they take no `threads`."""

    admin_password: SecretStr | None = Field(default=None, repr=False)
    admin_password_file: Path | None = None
    requests_per_minute: int = Field(default=3000, ge=1)
    max_waiting: int | None = Field(default=None, ge=0)
    audit_days: int = Field(default=365, ge=1, le=36_500)
    trusted_proxies: list[IPv4Network | IPv6Network] = []
    sweep_seconds: float = Field(default=2.0, gt=0, le=60)
    port: int = Field(default=8080, ge=1, le=65535)
    studio_dir: Path | None = None
    event_streams: int = Field(default=500, ge=1)
    event_streams_each: int = Field(default=100, ge=1)

    @property
    def first_password(self) -> str | None:
        """The first admin's, if one was given and people must log in."""
        if self.auth == "off":
            return None
        return given_secret(self.admin_password, self.admin_password_file, "KARGAH_ADMIN_PASSWORD")

    @model_validator(mode="after")
    def _good_first_password(self) -> Self:
        password = self.first_password
        if password is not None and (problem := weakness(password, "admin")) is not None:
            raise ValueError(f"KARGAH_ADMIN_PASSWORD is not accepted: {problem}")
        return self
