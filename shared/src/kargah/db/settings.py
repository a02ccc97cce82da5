"""The setting of everyone who owns a schema."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class DatabaseSettings(BaseSettings):
    """Mixed into a service's config: `KARGAH_DATABASE_URL`, such as `postgresql://gateway:pw@127.0.0.1/kargah`."""

    model_config = SettingsConfigDict(env_prefix="KARGAH_")

    database_url: str = Field(repr=False)
