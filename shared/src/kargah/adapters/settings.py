"""Settings of the object store and of the doorbell. A service's `config.py` mixes them in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from kargah.db.settings import DatabaseSettings

if TYPE_CHECKING:
    from kargah.adapters.minio_store import MinioStore


class S3Settings(BaseSettings):
    """`KARGAH_S3_ENDPOINT` and its fellows: any S3 endpoint, one bucket.

    `s3_public_endpoint`: the store's address as clients reach it, for presigned URLs; the same by default.
    """

    model_config = SettingsConfigDict(env_prefix="KARGAH_")

    s3_endpoint: str
    s3_public_endpoint: str | None = None
    s3_access_key: str = Field(repr=False)
    s3_secret_key: str = Field(repr=False)
    s3_bucket: str = "kargah"
    s3_region: str = "us-east-1"


class BellSettings(DatabaseSettings):
    """`KARGAH_BELL`: `postgres` rings through the database, `amqp` through RabbitMQ at `KARGAH_AMQP_URL`."""

    bell: Literal["postgres", "amqp"] = "postgres"
    amqp_url: str | None = Field(default=None, repr=False)

    @model_validator(mode="after")
    def _require_broker(self) -> Self:
        if self.bell == "amqp" and not self.amqp_url:
            raise ValueError("KARGAH_BELL=amqp needs KARGAH_AMQP_URL, such as amqp://user:password@host:5672/")
        return self


def open_store(settings: S3Settings) -> MinioStore:
    """The store of `settings`. Connects on first use; `ensure_bucket()` is for whoever starts first."""
    from kargah.adapters.minio_store import MinioStore  # the gateway has settings from here, and no store

    return MinioStore(
        settings.s3_endpoint,
        settings.s3_access_key,
        settings.s3_secret_key,
        settings.s3_bucket,
        region=settings.s3_region,
        public_endpoint=settings.s3_public_endpoint,
    )
