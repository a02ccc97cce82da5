"""Pieces of objects of the store that make a file, and how they are read one after the other."""

from __future__ import annotations

import io
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from kargah.ports.object_store import ObjectStore

_SMALLEST_PART = 5 << 20
_LARGEST_PART = 5 << 30
_MOST_PARTS = 10_000
_READ = 1 << 20


@dataclass(frozen=True, slots=True)
class Piece:
    """`length` bytes of the object `key`, from `offset` on."""

    key: str
    offset: int
    length: int


class Joined(io.RawIOBase):
    """Pieces of any size as one stream."""

    def __init__(self, pieces: Generator[bytes, None, None]) -> None:
        super().__init__()
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed allows any buffer
        while not len(self._rest):
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self) -> None:
        self._pieces.close()
        super().close()


def buffered(pieces: Generator[bytes, None, None]) -> BinaryIO:
    """To be closed when it has been read."""
    return io.BufferedReader(Joined(pieces), _READ)


def content_of(store: ObjectStore, pieces: Iterable[Piece]) -> Generator[bytes, None, None]:
    """The bytes of all pieces. Raises ObjectMissing."""
    for piece in pieces:
        with store.open(piece.key, offset=piece.offset, length=piece.length) as stream:
            while data := stream.read(_READ):
                yield data


def merged(pieces: Iterable[Piece]) -> list[Piece]:
    """The same with neighbours in one object as one piece."""
    found: list[Piece] = []
    for piece in pieces:
        last = found[-1] if found else None
        if last is not None and last.key == piece.key and last.offset + last.length == piece.offset:
            found[-1] = replace(last, length=last.length + piece.length)
        else:
            found.append(piece)
    return found


def can_be_parts(pieces: Sequence[Piece]) -> bool:
    """Whether a store can copy them: every part but the last has at least 5 MiB."""
    fits = all(_SMALLEST_PART <= piece.length <= _LARGEST_PART for piece in pieces[:-1])
    return 0 < len(pieces) <= _MOST_PARTS and fits and 0 < pieces[-1].length <= _LARGEST_PART
