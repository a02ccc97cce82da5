"""Xorbs and shards from strangers: sound ones are read, others are refused with the reason."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import hf_xet
import pytest
from blake3 import blake3

from kargah.domain.errors import BadRequest, Invalid
from registry.hub.xet.merkle import hash_text
from registry.hub.xet.shard import read_files
from registry.hub.xet.xorb import ChunkIndex, unpack, unpacked
from registry.testing.xet_files import packed_chunk, packed_xorb, raw_hash, shard_of

DATA = bytes(range(256)) * 8 + b"end"


def _unpacked(xorb: bytes, name: str = "") -> tuple[bytes, ChunkIndex]:
    index = ChunkIndex()
    return b"".join(unpacked(io.BytesIO(xorb), name, index)), index


@pytest.mark.parametrize("scheme", [0, 1, 2])
@pytest.mark.parametrize("size", [1, 2, 3, 5, len(DATA)])
def test_chunks_of_every_kind_are_unpacked(scheme: int, size: int) -> None:
    name, xorb = packed_xorb([DATA[:size], b"second"], scheme)
    data, index = _unpacked(xorb + b"XETBLOB" + bytes(40), name)
    assert data == DATA[:size] + b"second"
    assert (
        list(index.sizes) == [size, 6]
        and index.begin(1) == size
        and index.ends[-1] == index.unpacked(0, 2) == len(data)
    )


@pytest.mark.parametrize(
    "xorb",
    [
        packed_chunk(DATA, 0)[:-1],
        packed_chunk(DATA, 0) + b"\0\0",
        packed_chunk(DATA, 0, version=1),
        packed_chunk(DATA, 0)[:4] + b"\x09" + packed_chunk(DATA, 0)[5:],
        packed_chunk(DATA, 0, unpacked=(1 << 24) - 1),
        packed_chunk(b"", 0),
        b"",
    ],
)
def test_a_damaged_xorb_is_refused(xorb: bytes) -> None:
    with pytest.raises(Invalid, match="no sound xorb"):
        _unpacked(xorb)


@pytest.mark.parametrize(
    "chunk",
    [
        packed_chunk(DATA, 1, unpacked=10),  # unpacks to more than it says
        packed_chunk(DATA, 1, unpacked=len(DATA) + 1),
        packed_chunk(DATA, 0)[:4] + b"\x01" + packed_chunk(DATA, 0)[5:],  # says LZ4 and is none
    ],
)
def test_a_chunk_that_lies_is_refused(chunk: bytes) -> None:
    with pytest.raises(Invalid, match="no sound xorb"):
        unpack(chunk[:8], chunk[8:])


def test_a_xorb_of_another_hash_is_refused() -> None:
    name, xorb = packed_xorb([DATA, b"x" * 100])
    with pytest.raises(BadRequest, match="hash"):
        _unpacked(packed_xorb([DATA, b"y" * 100])[1], name)
    flipped = bytearray(xorb)
    flipped[-1] ^= 1
    with pytest.raises(BadRequest, match="hash"):
        _unpacked(bytes(flipped), name)


def test_hashes_are_those_of_the_client(tmp_path: Path) -> None:
    """A file of one chunk is hashed as its xorb is, and once more with a key of zeros."""
    path = tmp_path / "file"
    for data in (b"x", DATA, b"\0" * 8000):
        path.write_bytes(data)
        (info,) = hf_xet.hash_files([str(path)])
        node = raw_hash(packed_xorb([data])[0])
        assert hash_text(blake3(node, key=bytes(32)).digest()) == info.hash


def test_a_shard_is_read() -> None:
    sha256, xorb = "0123456789abcdef" * 4, "fedcba9876543210" * 4
    assert hash_text(raw_hash(sha256)) == sha256
    (file,) = read_files(shard_of(sha256, [(xorb, 0, 3, 100), (xorb, 5, 6, 7)]))
    assert file.sha256 == sha256 and file.size_bytes == 107
    assert [(term.xorb, term.first, term.last) for term in file.terms] == [(xorb, 0, 3), (xorb, 5, 6)]


SOUND = shard_of("a" * 64, [("b" * 64, 0, 1, 10)])


@pytest.mark.parametrize(
    "shard",
    [
        b"",
        b"x" * 100,
        SOUND[:32] + struct.pack("<2Q", 3, 0) + SOUND[48:],
        *(SOUND[:length] for length in range(40, len(SOUND) - 16, 24)),
        shard_of("a" * 64, [("b" * 64, 1, 1, 10)]),
        shard_of("a" * 64, [("b" * 64, 0, 1, 10)], flags=0),
        SOUND[:80] + struct.pack("<2I", 1 << 30, (1 << 32) - 1) + SOUND[88:],
    ],
)
def test_a_damaged_shard_is_refused(shard: bytes) -> None:
    with pytest.raises(Invalid, match="no sound shard"):
        read_files(shard)
