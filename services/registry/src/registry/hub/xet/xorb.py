"""Xorbs: chunks one after the other, each with a header of 8 bytes, compressed or not."""

from __future__ import annotations

from array import array
from collections.abc import Generator, Sequence
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
    """`ends`: where each chunk ends in the object that holds all of them unpacked; `sizes`: how many bytes it has."""

    ends: array[int] = field(default_factory=lambda: array("I"))
    sizes: array[int] = field(default_factory=lambda: array("I"))

    def begin(self, number: int) -> int:
        """Where chunk `number` begins."""
        return self.ends[number - 1] if number else 0

    def unpacked(self, first: int, last: int) -> int:
        """How many bytes the chunks from `first` to before `last` have."""
        return sum(self.sizes[first:last])


def unpacked(source: BinaryIO, name: str, index: ChunkIndex) -> Generator[bytes, None, None]:
    """The chunks of a xorb, which `index` notes. Raises Invalid where it breaks off or a chunk cannot be unpacked, and
    BadRequest at the end unless the hash of the chunks is `name`: so that a store keeps nothing."""
    nodes: list[Node] = []
    while header := source.read(HEADER_BYTES):
        if header.startswith(_FOOTER):  # a table of what was noted here already
            while source.read(_LARGEST_CHUNK):
                pass
            break
        data = _chunk(header, source)
        nodes.append((chunk_hash(data), len(data)))
        if len(nodes) > _MOST_CHUNKS:
            raise _damaged(f"it has more than {_MOST_CHUNKS} chunks")
        index.ends.append((index.ends[-1] if index.ends else 0) + len(data))
        index.sizes.append(len(data))
        yield data
    _check(nodes, name)


def _chunk(header: bytes, source: BinaryIO) -> bytes:
    if len(header) < HEADER_BYTES:
        raise _damaged("it breaks off in the middle of a chunk")
    packed = read_header(header)[0]
    body = source.read(packed)
    if len(body) < packed:
        raise _damaged("it breaks off in the middle of a chunk")
    return unpack(header, body)


def _check(nodes: Sequence[Node], name: str) -> None:
    if not nodes:
        raise _damaged("it has no chunks")
    actual = hash_text(xorb_hash(nodes))
    if actual != name:
        raise BadRequest(
            f"The chunks that came have the hash {actual}, not {name}.",
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


def unpack(header: bytes, body: bytes) -> bytes:
    """The bytes of a chunk. Raises Invalid."""
    _, scheme, size = read_header(header)
    data = body if scheme == _PLAIN else _decompress(body, size)
    if len(data) != size:
        raise _damaged(f"a chunk of {size} bytes unpacks to {len(data)}")
    return _ungroup(data) if scheme == _GROUPED else data


def _decompress(body: bytes, size: int) -> bytes:
    """At most one byte more than announced: what would unpack to gigabytes stops there."""
    try:
        return bytes(lz4.frame.LZ4FrameDecompressor().decompress(body, max_length=size + 1))
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
