"""Xorbs: chunks one after the other, each with a header of 8 bytes, compressed or not."""

from __future__ import annotations

import io
from array import array
from dataclasses import dataclass, field
from typing import BinaryIO

import lz4.frame

from kargah.domain.errors import Invalid

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
    """Passes a xorb on and notes its chunks. Raises Invalid, also at an early end, so that a store keeps nothing."""

    def __init__(self, source: BinaryIO) -> None:
        super().__init__()
        self._source = source
        self._header = bytearray()
        self._skip = 0
        self._place = 0
        self._footer = False
        self.index = ChunkIndex()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        if not data and size != 0 and (self._skip or (self._header and not self._footer)):
            raise _damaged("it breaks off in the middle of a chunk")
        self._feed(memoryview(data))
        return data

    def _feed(self, data: memoryview) -> None:
        while len(data) and not self._footer:
            if self._skip:
                taken = min(self._skip, len(data))
                self._skip -= taken
            else:
                taken = min(HEADER_BYTES - len(self._header), len(data))
                self._header += data[:taken]
                if len(self._header) == HEADER_BYTES:
                    self._begin_chunk()
            data = data[taken:]

    def _begin_chunk(self) -> None:
        header = bytes(self._header)
        if header.startswith(_FOOTER):
            self._footer = True  # a table of what was noted here already
            return
        packed, _, unpacked = read_header(header)
        if len(self.index.ends) >= _MOST_CHUNKS:
            raise _damaged(f"it has more than {_MOST_CHUNKS} chunks")
        self._place += HEADER_BYTES + packed
        self.index.ends.append(self._place)
        self.index.sizes.append(unpacked)
        self._header.clear()
        self._skip = packed


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
