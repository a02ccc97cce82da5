"""The gateway's settings; the environment is read here alone."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from kargah.adapters.settings import BellSettings
from kargah.jobstore.settings import RetrySettings
from kargah.web.settings import WebSettings


class PeerSettings(BaseSettings):
    """Where the other services are. `public_url` is the gateway's own address as people type it; for display."""

    model_config = SettingsConfigDict(env_prefix="KARGAH_")

    registry_url: str
    datasets_url: str
    inference_url: str
    public_url: str | None = None
    worker_url: str | None = None
    s3_endpoint: str | None = None


class GatewaySettings(WebSettings, BellSettings, PeerSettings, RetrySettings):
    """`sweep_seconds`: how often lost workers are looked for. `event_streams`: how many SSE clients at once; each
    takes one of `threads`."""

    sweep_seconds: float = Field(default=2.0, gt=0, le=60)
    event_streams: int = Field(default=40, ge=1)
