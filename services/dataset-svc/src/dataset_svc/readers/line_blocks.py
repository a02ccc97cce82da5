"""Whole lines of a byte stream, a few megabytes at a time, with the place of the first of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from dataset_svc import kernels
from dataset_svc.readers.rows import ROW_LIMIT

BLOCK_BYTES = 1 << 20
_NEWLINE = 10
_FIRST_BYTES = 1 << 16  # of each of the first blocks, which are read row by row, to learn from
_LEARNED = 1 << 18


@dataclass(frozen=True, slots=True)
class Block:
    """Lines with their `newlines`, so many (the file's last may lack it), or one `overlong` line, whose bytes are not
    kept."""

    line: int
    byte_offset: int
    data: bytes
    overlong: bool = False
    newlines: int = 0


def line_blocks(stream: BinaryIO, start: int, size: int = BLOCK_BYTES) -> Iterator[Block]:
    """All of the stream in blocks of about `size` bytes, the first ones of fewer; a longer line makes its block longer,
    up to the row limit."""
    line, offset, begun, dropped = 1, start, b"", 0
    wanted = min(size, _FIRST_BYTES)
    while chunk := _filled(stream, wanted):
        wanted = size
        if dropped:
            dropped, chunk = _skipped(dropped, chunk)
            if not chunk:
                continue
            yield Block(line, offset, b"", overlong=True)
            line, offset, dropped, chunk = line + 1, offset + dropped + 1, 0, chunk[1:]
        end = chunk.rfind(b"\n") + 1
        if end:
            data = b"".join((begun, memoryview(chunk)[:end]))
            newlines = _newlines(data)
            yield Block(line, offset, data, newlines=newlines)
            line, offset, begun = line + newlines, offset + len(data), b""
            wanted = size if offset >= _LEARNED else min(size, _FIRST_BYTES)
        begun += chunk[end:]
        if len(begun) > ROW_LIMIT:
            begun, dropped = b"", len(begun)
    if begun or dropped:
        yield Block(line, offset, begun, overlong=bool(dropped))


def _newlines(data: bytes) -> int:
    """How many there are: `bytes.count` takes four times as long."""
    if kernels.PRESENT:
        return kernels.count(data, _NEWLINE)
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == _NEWLINE))


def _filled(stream: BinaryIO, size: int) -> bytes:
    """`size` bytes, fewer only at the stream's end."""
    first = stream.read(size)
    if not first or len(first) == size:
        return first
    pieces, left = [first], size - len(first)
    while left and (piece := stream.read(left)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _skipped(dropped: int, chunk: bytes) -> tuple[int, bytes]:
    """How long the dropped line is by now, and the chunk from the newline on that ends it; empty when none does."""
    end = chunk.find(b"\n")
    return (dropped + len(chunk), b"") if end < 0 else (dropped + end, chunk[end:])
