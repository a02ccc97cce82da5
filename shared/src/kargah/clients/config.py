"""Where the client finds the platform."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ClientSettings(BaseSettings):
    """`KARGAH_URL` is the gateway; `KARGAH_TIMEOUT` the seconds that one request may wait for an answer.
    `KARGAH_API_KEY` says who asks, where people must log in; without it the key that `kargah login` keeps in
    `KARGAH_CREDENTIALS` for that gateway. `KARGAH_PROJECT` names one of several projects.
    `KARGAH_BUNDLE_KEYS` (a JSON list) are files of public keys whose bundles are taken in."""

    model_config = SettingsConfigDict(env_prefix="KARGAH_")

    url: str = "http://127.0.0.1:8080"
    timeout: float = 60.0
    api_key: SecretStr | None = None
    credentials: Path = Path("~/.config/kargah/credentials.json")
    project: str | None = None
    bundle_keys: list[Path] = []
