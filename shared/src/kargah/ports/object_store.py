"""The object store: plain S3 calls behind one small interface, so that any S3 endpoint serves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Protocol

from kargah.domain.errors import Unavailable


@dataclass(frozen=True, slots=True)
class ObjectStat:
    """What the store knows of an object; `size` in bytes."""

    key: str
    size: int
    etag: str
    modified_at: datetime


class ObjectMissing(Exception):
    """No object at that key."""


class StoreUnavailable(Unavailable):
    """The store did not answer, or answered 5xx, after bounded retries: a 503 at a service's edge."""


class ObjectStore(Protocol):
    """One bucket. Every call may raise StoreUnavailable; reads of an absent key raise ObjectMissing."""

    @property
    def bucket(self) -> str: ...

    def put(self, key: str, data: bytes) -> None: ...

    def put_stream(self, key: str, stream: BinaryIO, *, part_size: int = 16 << 20) -> int:
        """Store `stream` to its end with bounded memory; bytes stored. A failing stream leaves no object behind."""
        ...

    def put_file(self, key: str, path: Path) -> None: ...

    def get(self, key: str) -> bytes: ...

    def open(self, key: str, *, offset: int = 0, length: int | None = None) -> AbstractContextManager[BinaryIO]:
        """Read from `offset`; the stream must be closed by leaving the context."""
        ...

    def get_file(self, key: str, path: Path) -> None: ...

    def stat(self, key: str) -> ObjectStat: ...

    def list(self, prefix: str) -> Iterator[ObjectStat]: ...

    def copy(self, source: str, target: str) -> None: ...

    def delete(self, key: str) -> None:
        """Idempotent: deleting an absent key is no error."""
        ...

    def presign_get(self, key: str, expires: timedelta) -> str: ...

    def check(self) -> None:
        """Raise StoreUnavailable unless the bucket can be reached (readiness)."""
        ...
