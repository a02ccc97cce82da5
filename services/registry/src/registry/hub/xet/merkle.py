"""Hashes of xorbs as `hf_xet` makes them: a tree of keyed BLAKE3 over the hashes and sizes of the chunks."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from blake3 import blake3

_CHUNK_KEY = bytes.fromhex("6697f5775b9550de3135cbaca597181c9de421109beb2b58b4d0b04b93adf229")
_NODE_KEY = bytes.fromhex("017ec5c7a5472996fd946666b48a02e65ddd536f37c76dd2f86352e64a53713f")
_FEWEST, _MOST, _CUT = 2, 8, 4

Node = tuple[bytes, int]
"""The hash of a chunk, or of what is below a node, and how many bytes that is."""


def chunk_hash(data: bytes) -> bytes:
    """Of the bytes of a chunk as they stand in a file."""
    return blake3(data, key=_CHUNK_KEY).digest()


def xorb_hash(chunks: Sequence[Node]) -> bytes:
    """Of a xorb with at least one chunk: levels of nodes, until one is left."""
    level = list(chunks)
    while len(level) > 1:
        level = _above(level)
    return level[0][0]


def hash_text(data: bytes) -> str:
    """A hash as it stands in addresses: four numbers of 64 bits, which lie in the file with their lowest byte first."""
    return "".join(f"{number:016x}" for number in struct.unpack("<4Q", data))


def _above(level: Sequence[Node]) -> list[Node]:
    nodes = []
    first = 0
    while first < len(level):
        last = _end(level, first)
        nodes.append(_merged(level[first:last]))
        first = last
    return nodes


def _end(level: Sequence[Node], first: int) -> int:
    """A node ends with its first child, from the third on, whose hash can be divided by four; or it is full."""
    most = min(first + _MOST + 1, len(level))
    for place in range(first + _FEWEST, most):
        if level[place][0][24] % _CUT == 0:
            return place + 1
    return most


def _merged(children: Sequence[Node]) -> Node:
    text = "".join(f"{hash_text(digest)} : {size}\n" for digest, size in children)
    return blake3(text.encode(), key=_NODE_KEY).digest(), sum(size for _, size in children)
