"""A secret made once and kept in a file that only its owner can read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def kept_secret(file: Path, *, length: int = 32) -> str:
    """The secret in `file`; at first a random one of `length` URL-safe characters, mode 0600."""
    if not file.exists():
        _write_whole(file, secrets.token_urlsafe(length)[:length])
    return file.read_text(encoding="ascii")


def write_private(file: Path, text: str) -> None:
    """Write `text` to `file` with mode 0600 from the start, replacing what was there."""
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as sink:
        sink.write(text)


def _write_whole(file: Path, text: str) -> None:
    """Write and rename, so that a crash never leaves an empty secret behind."""
    partial = file.with_name(f"{file.name}.partial")
    write_private(partial, text)
    partial.replace(file)
