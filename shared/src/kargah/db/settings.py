"""The setting of everyone who owns a schema, and of who brings all schemas up to date."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class DatabaseSettings(BaseSettings):
    """Mixed into a service's config: `KARGAH_DATABASE_URL`, such as `postgresql://gateway:pw@127.0.0.1/kargah`."""

    model_config = SettingsConfigDict(env_prefix="KARGAH_")

    database_url: str = Field(repr=False)


class MigrationSettings(BaseSettings):
    """`KARGAH_DATABASE_URLS`, a JSON object: a service's URL by its name. The others have `KARGAH_DATABASE_URL`."""

    model_config = SettingsConfigDict(env_prefix="KARGAH_")

    database_urls: dict[str, str] = Field(default={}, repr=False)

    def url_of(self, service: str) -> str:
        """Raises pydantic's error, naming the missing setting, where neither tells it."""
        return self.database_urls.get(service) or DatabaseSettings().database_url
