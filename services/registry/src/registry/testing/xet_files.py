"""Xorbs and shards, made as `hf_xet` makes them."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import lz4.frame

from registry.hub.xet.merkle import chunk_hash, hash_text, xorb_hash

PLAIN, LZ4, GROUPED = 0, 1, 2
_WITH_SHA256 = 1 << 30


def packed_chunk(data: bytes, scheme: int = PLAIN, *, unpacked: int | None = None, version: int = 0) -> bytes:
    """A chunk with its header; `unpacked` and `version` for one that lies."""
    body = b"".join(data[group::4] for group in range(4)) if scheme == GROUPED else data
    packed = body if scheme == PLAIN else lz4.frame.compress(body)
    size = len(data) if unpacked is None else unpacked
    return bytes([version]) + len(packed).to_bytes(3, "little") + bytes([scheme]) + size.to_bytes(3, "little") + packed


def packed_xorb(chunks: Sequence[bytes], scheme: int = PLAIN) -> tuple[str, bytes]:
    """Its name and its bytes."""
    name = hash_text(xorb_hash([(chunk_hash(chunk), len(chunk)) for chunk in chunks]))
    return name, b"".join(packed_chunk(chunk, scheme) for chunk in chunks)


def shard_of(sha256: str, terms: Sequence[tuple[str, int, int, int]], *, flags: int = _WITH_SHA256) -> bytes:
    """Of one file, made of `terms`: a xorb, its first chunk, the one after its last, and how many bytes these have."""
    head = b"HFRepoMetaData\0".ljust(32, b"x") + struct.pack("<2Q", 2, 0)
    file = b"f" * 32 + struct.pack("<2IQ", flags, len(terms), 0)
    rows = b"".join(raw_hash(xorb) + struct.pack("<4I", 0, size, first, last) for xorb, first, last, size in terms)
    return head + file + rows + raw_hash(sha256) + bytes(16) + b"\xff" * 48


def raw_hash(text: str) -> bytes:
    """A hash as it lies in shards."""
    return struct.pack("<4Q", *(int(text[place : place + 16], 16) for place in range(0, 64, 16)))
