"""Keys that `kargah login` keeps: one for each gateway, in a file that only its owner can read."""

from __future__ import annotations

import json
import os
from pathlib import Path

from kargah.clients.config import ClientSettings


def request_headers(settings: ClientSettings, url: str, api_key: str | None = None) -> dict[str, str]:
    """What says who asks the gateway at `url`, and for which project; empty where nobody logged in."""
    given = settings.api_key.get_secret_value() if settings.api_key is not None else None
    key = api_key or given or stored_key(settings.credentials, url)
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return headers | ({"x-kargah-project": settings.project} if settings.project else {})


def stored_key(file: Path, url: str) -> str | None:
    """The key for that very gateway. Raises `ValueError` for a file that is damaged."""
    return _read(file).get(_place(url))


def store_key(file: Path, url: str, key: str | None) -> None:
    """Keep `key` for the gateway at `url`; None forgets it."""
    keys = {place: kept for place, kept in _read(file).items() if place != _place(url)}
    if key is not None:
        keys[_place(url)] = key
    path = file.expanduser()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as sink:
        json.dump(keys, sink, indent=2)
    partial.replace(path)


def _place(url: str) -> str:
    return url.rstrip("/")


def _read(file: Path) -> dict[str, str]:
    try:
        found = json.loads(file.expanduser().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ValueError(f"{file} cannot be read: {error}. Log in again after removing it.") from error
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found.values()):
        raise ValueError(f"{file} is damaged. Log in again after removing it.")
    return found
