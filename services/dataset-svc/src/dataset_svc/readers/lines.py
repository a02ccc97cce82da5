"""Lines of a byte stream with their numbers and offsets, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from dataset_svc.readers.rows import ROW_LIMIT

_CHUNK = 1 << 20

Line = tuple[int, int, bytes | None]
"""Number (1-based), offset of its first byte, its bytes without the newline; None when it is over the limit."""


def lines(stream: BinaryIO, start: int, limit: int = ROW_LIMIT) -> Iterator[Line]:
    """Every line, also the last one without a newline; a carriage return before the newline stays."""
    number, offset, carry, dropped = 1, start, b"", 0
    while chunk := stream.read(_CHUNK):
        first, *rest = chunk.split(b"\n")
        carry, dropped = _grow(carry, dropped, first, limit)
        for piece in rest:
            yield number, offset, None if dropped else carry
            number, offset = number + 1, offset + len(carry) + dropped + 1
            carry, dropped = _grow(b"", 0, piece, limit)
    if carry or dropped:
        yield number, offset, None if dropped else carry


def _grow(carry: bytes, dropped: int, piece: bytes, limit: int) -> tuple[bytes, int]:
    """The unfinished line with `piece` added; past the limit only its length is kept."""
    if dropped or len(carry) + len(piece) > limit:
        return b"", dropped + len(carry) + len(piece)
    return (carry + piece if carry else piece), 0
