"""The dataset service's settings; the environment is read here alone."""

from __future__ import annotations

from pydantic import Field

from kargah.adapters.settings import S3Settings
from kargah.db.settings import DatabaseSettings
from kargah.web.settings import WebSettings


class DatasetSettings(WebSettings, DatabaseSettings, S3Settings):
    """`max_upload_bytes` bounds a file as sent, `max_unpacked_bytes` what it may hold: unpacked, and as rows.

    `upload_part_bytes`: of an upload in parts (5 MiB at least, and more for very large files). `upload_silent_seconds`
    without a sign of its sender end it. `completions` are checked at once, and as many repairs and splits made; one
    whose replica is silent for `upload_lease_seconds` is another one's. Of large files that come in one request,
    `waiting_uploads` more are received, and wait; others are asked to come again. `janitor_seconds`: how often
    leftovers of broken uploads are looked for; they go when `leftover_seconds` old. `max_project_bytes` of rows may one
    project keep, unless it has a limit of its own, where people log in.
    """

    port: int = Field(default=8082, ge=1, le=65535)
    max_upload_bytes: int = Field(default=20 << 30, ge=1)
    max_unpacked_bytes: int = Field(default=40 << 30, ge=1)
    upload_part_bytes: int = Field(default=16 << 20, ge=5 << 20, le=1 << 30)
    upload_silent_seconds: float = Field(default=86_400, gt=0)
    completions: int = Field(default=2, ge=1, le=16)
    waiting_uploads: int = Field(default=8, ge=0, le=64)
    upload_lease_seconds: float = Field(default=15, ge=1)
    janitor_seconds: float = Field(default=3600, gt=0)
    leftover_seconds: float = Field(default=86_400, gt=0)
    max_project_bytes: int | None = Field(default=None, ge=0)
