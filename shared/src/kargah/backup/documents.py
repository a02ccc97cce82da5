"""What a backup says of itself: a summary that lists are made of, and its contents."""

from __future__ import annotations

from pydantic import Field

from kargah.contracts.base import Sha256, Timestamp, Wire


class Piece(Wire):
    """A file of the place of backups, named by its content."""

    sha256: Sha256
    size: int


class SavedObject(Piece):
    """An object of the store. `etag` is the store's, by which the next backup knows it again without reading it."""

    key: str
    etag: str


class Contents(Wire):
    """`database`: pieces of the dump in their order, each compressed by zlib."""

    objects: list[SavedObject]
    database: list[Piece]


class Summary(Wire):
    """Sizes in bytes. `added`: what this backup stored that was not there before. `missing`: keys that rows named and
    the store did not have, or not as they should be; `absent`: the same, where an earlier backup had saved them."""

    id: str
    created_at: Timestamp
    kargah: str
    postgres: str
    contents_sha256: Sha256
    objects: int
    objects_bytes: int
    database_bytes: int
    added: int
    added_bytes: int
    counts: dict[str, int] = Field(default_factory=dict)
    missing: list[str] = Field(default_factory=list)
    absent: list[str] = Field(default_factory=list)
    seconds: float = 0.0
