"""Xorbs and shards from strangers: sound ones are read, others are refused with the reason."""

from __future__ import annotations

import io
import struct

import lz4.frame
import pytest

from kargah.domain.errors import Invalid
from registry.hub.xet.shard import hash_text, read_files
from registry.hub.xet.xorb import IndexedStream, unpack

DATA = bytes(range(256)) * 8 + b"end"


def _chunk(data: bytes, scheme: int, *, unpacked: int | None = None, version: int = 0) -> bytes:
    body = data
    if scheme == 2:
        body = b"".join(data[group::4] for group in range(4))
    packed = body if scheme == 0 else lz4.frame.compress(body)
    size = len(data) if unpacked is None else unpacked
    return bytes([version]) + len(packed).to_bytes(3, "little") + bytes([scheme]) + size.to_bytes(3, "little") + packed


def _index(xorb: bytes, step: int = 7) -> IndexedStream:
    stream = IndexedStream(io.BytesIO(xorb))
    while stream.read(step):
        pass
    return stream


def _raw(text: str) -> bytes:
    return struct.pack("<4Q", *(int(text[place : place + 16], 16) for place in range(0, 64, 16)))


def _shard(sha256: str, terms: list[tuple[str, int, int, int]], *, flags: int = 1 << 30) -> bytes:
    head = b"HFRepoMetaData\0".ljust(32, b"x") + struct.pack("<2Q", 2, 0)
    file = b"f" * 32 + struct.pack("<2IQ", flags, len(terms), 0)
    rows = b"".join(_raw(xorb) + struct.pack("<4I", 0, size, first, last) for xorb, first, last, size in terms)
    return head + file + rows + _raw(sha256) + bytes(16) + b"\xff" * 48


@pytest.mark.parametrize("scheme", [0, 1, 2])
@pytest.mark.parametrize("size", [1, 2, 3, 5, len(DATA)])
def test_chunks_of_every_kind_are_unpacked(scheme: int, size: int) -> None:
    xorb = _chunk(DATA[:size], scheme) + _chunk(b"second", 0)
    index = _index(xorb + b"XETBLOB" + bytes(40)).index
    assert list(index.sizes) == [size, 6] and index.ends[-1] == len(xorb) and index.unpacked(0, 2) == size + 6
    assert unpack(memoryview(xorb)[: index.ends[0]]) == DATA[:size]
    assert unpack(memoryview(xorb)[index.begin(1) : index.ends[1]]) == b"second"


@pytest.mark.parametrize(
    "xorb",
    [
        _chunk(DATA, 0)[:-1],
        _chunk(DATA, 0) + b"\0\0",
        _chunk(DATA, 0, version=1),
        _chunk(DATA, 0)[:4] + b"\x09" + _chunk(DATA, 0)[5:],
        _chunk(DATA, 0, unpacked=(1 << 24) - 1),
        _chunk(b"", 0),
    ],
)
def test_a_damaged_xorb_is_refused(xorb: bytes) -> None:
    with pytest.raises(Invalid, match="no sound xorb"):
        _index(xorb)


@pytest.mark.parametrize(
    "chunk",
    [
        _chunk(DATA, 1, unpacked=10),  # unpacks to more than it says
        _chunk(DATA, 1, unpacked=len(DATA) + 1),
        _chunk(DATA, 0)[:4] + b"\x01" + _chunk(DATA, 0)[5:],  # says LZ4 and is none
    ],
)
def test_a_chunk_that_lies_is_refused(chunk: bytes) -> None:
    with pytest.raises(Invalid, match="no sound xorb"):
        unpack(memoryview(chunk))


def test_a_shard_is_read() -> None:
    sha256, xorb = "0123456789abcdef" * 4, "fedcba9876543210" * 4
    assert hash_text(_raw(sha256)) == sha256
    (file,) = read_files(_shard(sha256, [(xorb, 0, 3, 100), (xorb, 5, 6, 7)]))
    assert file.sha256 == sha256 and file.size_bytes == 107
    assert [(term.xorb, term.first, term.last) for term in file.terms] == [(xorb, 0, 3), (xorb, 5, 6)]


SOUND = _shard("a" * 64, [("b" * 64, 0, 1, 10)])


@pytest.mark.parametrize(
    "shard",
    [
        b"",
        b"x" * 100,
        SOUND[:32] + struct.pack("<2Q", 3, 0) + SOUND[48:],
        *(SOUND[:length] for length in range(40, len(SOUND) - 16, 24)),
        _shard("a" * 64, [("b" * 64, 1, 1, 10)]),
        _shard("a" * 64, [("b" * 64, 0, 1, 10)], flags=0),
        SOUND[:80] + struct.pack("<2I", 1 << 30, (1 << 32) - 1) + SOUND[88:],
    ],
)
def test_a_damaged_shard_is_refused(shard: bytes) -> None:
    with pytest.raises(Invalid, match="no sound shard"):
        read_files(shard)
