"""Streams between the network, the checks and the object store: hashed, counted, bounded."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from kargah.domain.errors import BadRequest, TooLarge

_BATCH = 256 << 10
OnBytes = Callable[[int], None]
"""Hears of so many more bytes that are done; may raise to end the work."""


def ignore_bytes(_count: int) -> None:
    """For whom nobody waits."""


class Digest:
    """Size and SHA-256 of what went by."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self.size = 0

    def add(self, data: bytes | memoryview) -> None:
        self._sha256.update(data)
        self.size += len(data)

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()


class HashedStream(io.RawIOBase):
    """`source` read through: hashed, refused with TooLarge past `limit` bytes, and with BadRequest where it ends
    before the `expected` size (None: not known). `on_bytes` is told the size of each piece, and may raise.
    """

    def __init__(
        self,
        source: BinaryIO,
        digest: Digest,
        limit: int,
        expected: int | None = None,
        on_bytes: Callable[[int], None] | None = None,
    ) -> None:
        self._source = source
        self._digest = digest
        self._limit = limit
        self._expected = expected
        self._on_bytes = on_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed allows any buffer
        data = self._source.read(len(buffer))
        self._digest.add(data)
        if self._digest.size > self._limit:
            raise TooLarge(f"the file is larger than {self._limit:,} bytes", "split it into several datasets")
        # The server ends a body that breaks off as if it were whole.
        if not data and self._expected is not None and self._digest.size != self._expected:
            raise BadRequest(f"the body ended after {self._digest.size:,} of {self._expected:,} bytes", "send it again")
        if self._on_bytes is not None:
            self._on_bytes(len(data))
        buffer[: len(data)] = data
        return len(data)


def bounded(lines: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """The lines; TooLarge past `limit` bytes. A table's header stands in each of its rows, a Parquet dictionary's one
    text for any number of them, so rows can be much larger than the file."""
    left = limit
    for line in lines:
        left -= len(line)
        if left < 0:
            raise TooLarge(f"the rows of the file are larger than {limit:,} bytes", "split it into several datasets")
        yield line


class LinesStream(io.RawIOBase):
    """Lines made on demand, as a stream; hashed as they go by. What the iterator raises, reading raises."""

    def __init__(self, lines: Iterable[bytes], digest: Digest) -> None:
        self._batches = _batched(lines)
        self._digest = digest
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed allows any buffer
        if not self._rest:
            batch = next(self._batches, b"")
            self._digest.add(batch)
            self._rest = memoryview(batch)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def _batched(lines: Iterable[bytes]) -> Iterator[bytes]:
    batch: list[bytes] = []
    size = 0
    for line in lines:
        batch.append(line)
        size += len(line)
        if size >= _BATCH:
            yield b"".join(batch)
            batch, size = [], 0
    yield b"".join(batch)
