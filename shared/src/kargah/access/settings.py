"""Whether people must log in, and the secret that the services know each other by."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from kargah.access.secret import HOW, weakness


class AccessSettings(BaseSettings):
    """`auth`: `on` asks everybody who they are, and needs `jwt_secret`, the same for all services of a platform.
    `metrics_token`: what collectors of metrics send as a bearer token. Either may be in a file: `..._file`."""

    model_config = SettingsConfigDict(env_prefix="KARGAH_", extra="ignore")

    auth: Literal["off", "on"] = "off"
    jwt_secret: SecretStr | None = Field(default=None, repr=False)
    jwt_secret_file: Path | None = None
    metrics_token: SecretStr | None = Field(default=None, repr=False)
    metrics_token_file: Path | None = None

    @model_validator(mode="after")
    def _good_secrets(self) -> Self:
        if self.auth == "off":
            return self
        secret = self.service_secret
        problem = "it is missing" if secret is None else weakness(secret)
        if problem is not None:
            raise ValueError(f"KARGAH_AUTH=on needs KARGAH_JWT_SECRET (or KARGAH_JWT_SECRET_FILE): {problem}. {HOW}")
        token = self.collector_token
        if token is not None and (problem := weakness(token)) is not None:
            raise ValueError(f"KARGAH_METRICS_TOKEN is no good: {problem}. {HOW}")
        return self

    @property
    def service_secret(self) -> str | None:
        """What internal tokens are signed with; None unless people must log in."""
        return given_secret(self.jwt_secret, self.jwt_secret_file, "KARGAH_JWT_SECRET") if self.auth == "on" else None

    @property
    def collector_token(self) -> str | None:
        """What opens `/metrics`; None where none was given, or nobody must log in."""
        if self.auth == "off":
            return None
        return given_secret(self.metrics_token, self.metrics_token_file, "KARGAH_METRICS_TOKEN")


def given_secret(value: SecretStr | None, file: Path | None, name: str) -> str | None:
    """A secret that was given itself or in a file, which may end in a newline. Raises `ValueError` for both, and for a
    file that cannot be read."""
    if value is not None and file is not None:
        raise ValueError(f"{name} and {name}_FILE contradict each other: give one of them.")
    if file is None:
        return value.get_secret_value() if value is not None else None
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{name}_FILE={file} cannot be read: {error}") from error
