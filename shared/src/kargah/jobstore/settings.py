"""How patient the job store is; whoever puts jobs back (gateway and workers) reads the same settings."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from kargah.jobstore.values import RetryPolicy


class RetrySettings(BaseSettings):
    """`KARGAH_MAX_CRASHES` in a row without a newer checkpoint end a job; before each new try it waits
    `KARGAH_BACKOFF_SECONDS`, doubled for each crash."""

    model_config = SettingsConfigDict(env_prefix="KARGAH_", extra="ignore")

    max_crashes: int = Field(default=3, ge=1)
    backoff_seconds: float = Field(default=2.0, ge=0)

    @property
    def retry_policy(self) -> RetryPolicy:
        return RetryPolicy(self.max_crashes, self.backoff_seconds)
