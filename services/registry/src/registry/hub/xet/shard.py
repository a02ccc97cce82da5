"""Shards: which chunks of which xorbs make a file, in entries of 48 bytes. What they say of xorbs is not needed."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from kargah.domain.errors import Invalid
from registry.hub.xet.merkle import hash_text

_ENTRY = 48
_HASH = 32
_MAGIC = b"HFRepoMetaData\0"
_VERSION = 2
_END = b"\xff" * _HASH
_VERIFIED, _WITH_SHA256 = 1 << 31, 1 << 30
_MOST_TERMS = 1 << 20


@dataclass(frozen=True, slots=True)
class Term:
    """The chunks from `first` to before `last` of a xorb: `size_bytes` of a file."""

    xorb: str
    first: int
    last: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class XetFile:
    """A file: its terms in order, and the sha256 of what they make."""

    sha256: str
    terms: tuple[Term, ...]

    @property
    def size_bytes(self) -> int:
        """Of the whole file."""
        return sum(term.size_bytes for term in self.terms)


def read_files(data: bytes) -> list[XetFile]:
    """The files that a shard describes. Raises Invalid."""
    if not data.startswith(_MAGIC) or len(data) < _ENTRY or struct.unpack_from("<Q", data, _HASH)[0] != _VERSION:
        raise _damaged("it does not begin like one")
    try:
        return _read(data)
    except struct.error as error:
        raise _damaged("it breaks off") from error


def _read(data: bytes) -> list[XetFile]:
    files = []
    place, count = _ENTRY, 0
    while (start := data[place : place + _HASH]) != _END:
        if len(start) < _HASH:
            raise _damaged("it breaks off")
        flags, number = struct.unpack_from("<2I", data, place + _HASH)
        count += number
        if count > _MOST_TERMS:
            raise _damaged(f"its files have more than {_MOST_TERMS} parts")
        if not flags & _WITH_SHA256:
            raise _damaged("a file comes without its sha256")
        place += _ENTRY
        terms = tuple(_term(data, place + _ENTRY * index) for index in range(number))
        place += _ENTRY * number * (2 if flags & _VERIFIED else 1)
        files.append(XetFile(_sha256(data, place), terms))
        place += _ENTRY
    return files


def _term(data: bytes, place: int) -> Term:
    _, size_bytes, first, last = struct.unpack_from("<4I", data, place + _HASH)
    if not first < last:
        raise _damaged("a part of a file has no chunks")
    return Term(hash_text(data[place : place + _HASH]), first, last, size_bytes)


def _sha256(data: bytes, place: int) -> str:
    if place + _ENTRY > len(data):
        raise _damaged("it breaks off")
    return hash_text(data[place : place + _HASH])


def _damaged(reason: str) -> Invalid:
    return Invalid(f"This is no sound shard: {reason}.")
