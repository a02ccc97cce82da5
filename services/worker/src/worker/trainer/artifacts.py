"""Folders of files that are handed over: flushed to the disk and hashed."""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from kargah.contracts.runs import FileEntry


@contextmanager
def disk_errors() -> Iterator[None]:
    """safetensors hides what the disk said in an error of its own kind: here it is an OSError again."""
    try:
        yield
    except SafetensorError as error:
        told = re.search(r"os error (\d+)", str(error))
        raise OSError(int(told[1]) if told else errno.EIO, str(error)) from error


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
