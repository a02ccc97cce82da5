"""The registry's settings; the environment is read here alone."""

from __future__ import annotations

from datetime import timedelta

from pydantic import AliasChoices, Field, SecretStr

from kargah.adapters.settings import S3Settings
from kargah.db.settings import DatabaseSettings
from kargah.web.settings import WebSettings


class RegistrySettings(WebSettings, DatabaseSettings, S3Settings):
    """`blob_bytes`: the largest file. Blobs that no version names are removed once they are `blob_grace_hours` old;
    they are looked for every `sweep_minutes`. Models are searched for at `upstream_url` (`KARGAH_UPSTREAM_URL`, or
    `HF_ENDPOINT`), with `upstream_token` (`KARGAH_UPSTREAM_TOKEN`, or `HF_TOKEN`). `hub_redirect`: whether the Hub's
    clients fetch large files from the object store itself, which they must be able to reach then; files above
    `hub_part_bytes` are uploaded in parts. With `mirror` reads of repositories that are not here, and whose name fits
    one of `mirror_only`, are answered from the upstream and kept; its branches and tags are asked about again after
    `mirror_fresh_seconds`. What was uploaded to the dataset service at `datasets_url` can be read there as well.
    `max_project_bytes` of files may one project keep, unless it has a limit of its own, where people log in."""

    port: int = Field(default=8081, ge=1, le=65535)
    blob_bytes: int = Field(default=100 << 30, ge=1)
    blob_grace_hours: float = Field(default=24.0, ge=1)
    sweep_minutes: float = Field(default=30.0, gt=0)
    upstream_url: str = Field(
        default="https://huggingface.co",
        pattern=r"^https?://",
        validation_alias=AliasChoices("upstream_url", "KARGAH_UPSTREAM_URL", "HF_ENDPOINT"),
    )
    upstream_token: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("upstream_token", "KARGAH_UPSTREAM_TOKEN", "HF_TOKEN")
    )
    hub_redirect: bool = True
    hub_part_bytes: int = Field(default=1 << 30, ge=1 << 20)
    datasets_url: str | None = None
    mirror: bool = False
    mirror_only: list[str] = ["*"]
    mirror_fresh_seconds: float = Field(default=60.0, ge=0)
    max_project_bytes: int | None = Field(default=None, ge=0)

    @property
    def blob_grace(self) -> timedelta:
        return timedelta(hours=self.blob_grace_hours)
