"""Xorbs: chunks one after the other, each with a header of 8 bytes, compressed or not."""

from __future__ import annotations

import io
from array import array
from dataclasses import dataclass, field
from typing import BinaryIO

import lz4.frame

from kargah.domain.errors import BadRequest, Invalid
from registry.hub.xet.merkle import Node, chunk_hash, hash_text, xorb_hash

HEADER_BYTES = 8
_FOOTER = b"XETBLOB"
_PLAIN, _LZ4, _GROUPED = 0, 1, 2
_LARGEST_CHUNK = 1 << 20
_MOST_CHUNKS = 1 << 16
_GROUPS = 4


@dataclass(slots=True)
class ChunkIndex:
    """`ends`: where each chunk ends in the xorb; `sizes`: how many bytes it has when unpacked."""

    ends: array[int] = field(default_factory=lambda: array("I"))
    sizes: array[int] = field(default_factory=lambda: array("I"))

    def begin(self, number: int) -> int:
        """Where chunk `number` begins in the xorb."""
        return self.ends[number - 1] if number else 0

    def unpacked(self, first: int, last: int) -> int:
        """How many bytes the chunks from `first` to before `last` have."""
        return sum(self.sizes[first:last])


class IndexedStream(io.RawIOBase):
    """Passes a xorb on and notes its chunks. At the end it raises BadRequest unless their hash is `name`, and Invalid
    where the end is too early or a chunk cannot be unpacked: so that a store keeps nothing."""

    def __init__(self, source: BinaryIO, name: str) -> None:
        super().__init__()
        self._source = source
        self._name = name
        self._kept = bytearray()
        self._wanted = HEADER_BYTES
        self._place = 0
        self._footer = False
        self._nodes: list[Node] = []
        self.index = ChunkIndex()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        if not data and size != 0:
            self._finish()
        self._feed(memoryview(data))
        return data

    def _feed(self, data: memoryview) -> None:
        """Chunk by chunk, each with its header; only what spans two reads is copied."""
        while len(data) and not self._footer:
            taken = self._wanted - len(self._kept)
            if self._kept or len(data) < taken:
                self._kept += data[:taken]
                if len(self._kept) == self._wanted:
                    self._take(memoryview(bytes(self._kept)))
            else:
                self._take(data[:taken])
            data = data[taken:]

    def _take(self, found: memoryview) -> None:
        """A header, or a whole chunk with its header."""
        if len(found) > HEADER_BYTES:
            self._end_chunk(found)
            return
        header = bytes(found)
        self._kept = bytearray(header)
        if header.startswith(_FOOTER):
            self._footer = True  # a table of what was noted here already
            return
        self._wanted = HEADER_BYTES + read_header(header)[0]
        if len(self.index.ends) >= _MOST_CHUNKS:
            raise _damaged(f"it has more than {_MOST_CHUNKS} chunks")

    def _end_chunk(self, chunk: memoryview) -> None:
        data = unpack(chunk)
        self._nodes.append((chunk_hash(data), len(data)))
        self._place += len(chunk)
        self.index.ends.append(self._place)
        self.index.sizes.append(len(data))
        self._kept, self._wanted = bytearray(), HEADER_BYTES

    def _finish(self) -> None:
        if (self._kept and not self._footer) or not self._nodes:
            raise _damaged("it breaks off in the middle of a chunk")
        actual = hash_text(xorb_hash(self._nodes))
        if actual != self._name:
            raise BadRequest(
                f"The chunks that came have the hash {actual}, not {self._name}.",
                hint="The xorb was damaged on the way, or the address is another's; nothing was kept.",
            )


def read_header(header: bytes) -> tuple[int, int, int]:
    """Packed bytes, compression and unpacked bytes of a chunk. Raises Invalid."""
    packed, unpacked = int.from_bytes(header[1:4], "little"), int.from_bytes(header[5:8], "little")
    if header[0] != 0 or header[4] > _GROUPED:
        raise _damaged(f"a chunk has the version {header[0]} and the compression {header[4]}")
    if not 0 < unpacked <= _LARGEST_CHUNK or not 0 < packed <= 2 * _LARGEST_CHUNK:
        raise _damaged(f"a chunk has {unpacked} bytes, {packed} when packed")
    return packed, header[4], unpacked


def unpack(chunk: memoryview) -> bytes:
    """The bytes of a chunk, whose header comes with it. Raises Invalid."""
    packed, scheme, unpacked = read_header(bytes(chunk[:HEADER_BYTES]))
    body = chunk[HEADER_BYTES : HEADER_BYTES + packed]
    data = bytes(body) if scheme == _PLAIN else _decompress(body, unpacked)
    if len(data) != unpacked:
        raise _damaged(f"a chunk of {unpacked} bytes unpacks to {len(data)}")
    return _ungroup(data) if scheme == _GROUPED else data


def _decompress(body: memoryview, unpacked: int) -> bytes:
    """At most one byte more than announced: what would unpack to gigabytes stops there."""
    try:
        return bytes(lz4.frame.LZ4FrameDecompressor().decompress(body, max_length=unpacked + 1))
    except RuntimeError as error:
        raise _damaged("a chunk cannot be unpacked") from error


def _ungroup(data: bytes) -> bytes:
    """Every fourth byte stands together, as floats compress better that way; here they go back to their places."""
    result = bytearray(len(data))
    place = 0
    for group in range(_GROUPS):
        count = (len(data) - group + _GROUPS - 1) // _GROUPS
        result[group::_GROUPS] = data[place : place + count]
        place += count
    return bytes(result)


def _damaged(reason: str) -> Invalid:
    return Invalid(f"This is no sound xorb: {reason}.")
