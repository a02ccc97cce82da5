"""The dataset service's settings; the environment is read here alone."""

from __future__ import annotations

from pydantic import Field

from kargah.adapters.settings import S3Settings
from kargah.db.settings import DatabaseSettings
from kargah.web.settings import WebSettings


class DatasetSettings(WebSettings, DatabaseSettings, S3Settings):
    """`max_upload_bytes` bounds a file as sent, `max_unpacked_bytes` what a gzip may hold.

    `janitor_seconds`: how often leftovers of broken uploads are looked for; they go when a day old.
    """

    port: int = Field(default=8082, ge=1, le=65535)
    max_upload_bytes: int = Field(default=20 << 30, ge=1)
    max_unpacked_bytes: int = Field(default=40 << 30, ge=1)
    janitor_seconds: float = Field(default=3600, gt=0)
