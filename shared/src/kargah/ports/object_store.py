"""The object store: plain S3 calls behind one small interface, so that any S3 endpoint serves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an object under way, numbered from 1; `size` in bytes."""

    number: int
    size: int
    etag: str


@dataclass(frozen=True, slots=True)
class Multipart:
    """An object under way in parts: nothing lies at `key` until it is finished."""

    key: str
    upload_id: str
    begun_at: datetime


class ObjectMissing(Exception):
    """No object at that key, or no such object under way."""


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


class MultipartStore(ObjectStore, Protocol):
    """A store that also takes objects in parts, from whoever has the parts' URLs: in any order, over hours.

    Parts are at least 5 MiB, except the last one, and at most 10,000. An unknown or ended upload raises ObjectMissing.
    """

    def begin_multipart(self, key: str) -> str:
        """The upload's id."""
        ...

    def presign_part(self, key: str, upload_id: str, number: int, expires: timedelta) -> str:
        """A URL that lets anyone PUT that part for a while."""
        ...

    def put_part(self, key: str, upload_id: str, number: int, data: bytes) -> None:
        """Store a part; sent again, one of them counts."""
        ...

    def copy_part(self, key: str, upload_id: str, number: int, source: str, offset: int, length: int) -> None:
        """Store `length` bytes of another object as a part, without reading them here."""
        ...

    def parts(self, key: str, upload_id: str) -> list[Part]:
        """The parts that are there, in the order of their numbers."""
        ...

    def finish_multipart(self, key: str, upload_id: str, parts: Sequence[Part]) -> None:
        """Make the object of these parts: whole or not at all."""
        ...

    def abort_multipart(self, key: str, upload_id: str) -> None:
        """Give the parts up. Idempotent: an upload that is not there is no error."""
        ...

    def multiparts(self, prefix: str) -> Iterator[Multipart]:
        """Every object under way whose key starts with `prefix`."""
        ...
