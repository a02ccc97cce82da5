"""Folders of files that are handed over: flushed to the disk and hashed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from kargah.contracts.runs import FileEntry


def settle(folder: Path) -> list[FileEntry]:
    """Flush every file under `folder` to the disk and hash it; paths are relative, with `/`."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    entries = [_entry(path, folder) for path in files]
    _sync(folder)
    return entries


def _entry(path: Path, folder: Path) -> FileEntry:
    with path.open("rb") as file:
        os.fsync(file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = os.fstat(file.fileno()).st_size
    return FileEntry(path=path.relative_to(folder).as_posix(), size_bytes=size, sha256=digest)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
