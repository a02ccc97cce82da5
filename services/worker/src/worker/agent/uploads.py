"""Into the object store with proof: what lies there afterwards is what the trainer hashed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from kargah.contracts.runs import FileEntry
from kargah.ports.object_store import ObjectMissing, ObjectStore
from worker.agent.background import Background

_CHUNK = 1 << 20


class UploadCorrupt(Exception):
    """What lies on disk, or in the store, is not what the trainer hashed."""


class _Digesting:
    """A stream that hashes what is read from it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.sha256 = hashlib.sha256()
        self.md5 = hashlib.md5(usedforsecurity=False)

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.sha256.update(data)
        self.md5.update(data)
        return data


@dataclass(frozen=True)
class VerifiedUpload:
    """Stores files and checks each by size and hash."""

    store: ObjectStore
    background: Background

    def put(self, key: str, folder: Path, entry: FileEntry) -> None:
        """Store one file. Raises UploadCorrupt (and removes the object), StoreUnavailable, OSError, Aborted."""
        with (folder / entry.path).open("rb") as file:
            digesting = _Digesting(self.background.guarded(file))
            size = self.store.put_stream(key, cast(BinaryIO, digesting))
        problem = _difference(entry, size, digesting.sha256.hexdigest()) or self._problem_in_store(
            key, entry, digesting.md5.hexdigest()
        )
        if problem is not None:
            self.store.delete(key)
            raise UploadCorrupt(f"{entry.path}: {problem}")

    def _problem_in_store(self, key: str, entry: FileEntry, md5: str) -> str | None:
        """The store's own MD5 settles it; where its tag is none (parts, encryption), the bytes are read back."""
        try:
            stat = self.store.stat(key)
        except ObjectMissing:
            return "the store does not have it"
        if stat.size == entry.size_bytes and stat.etag.strip('"').lower() == md5:
            return None
        with self.store.open(key) as stream:
            return _difference(entry, *_digest(self.background.guarded(stream)))


def _digest(stream: BinaryIO) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    while data := stream.read(_CHUNK):
        size += len(data)
        digest.update(data)
    return size, digest.hexdigest()


def _difference(entry: FileEntry, size: int, sha256: str) -> str | None:
    if size != entry.size_bytes:
        return f"{size} bytes instead of {entry.size_bytes}"
    return None if sha256 == entry.sha256 else f"sha256 {sha256} instead of {entry.sha256}"


def file_problem(path: Path, entry: FileEntry) -> str | None:
    """What is wrong with the local file `path`, None when it is what `entry` says."""
    if not path.is_file():
        return "missing"
    with path.open("rb") as file:
        return _difference(entry, *_digest(file))
