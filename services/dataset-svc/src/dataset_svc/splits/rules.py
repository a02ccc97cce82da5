"""Which split a row belongs to: by its content and a seed, by a column, or by the part that it came from."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from typing import Any, Protocol

from dataset_svc.readers.rows import Fault, ParsedRow, shortened
from kargah.contracts.datasets import GivenSplits, HashSplit, SplitRequest
from kargah.domain.errors import FieldError, Invalid
from kargah.domain.splits import SPLITS, TEST, TRAIN, VALIDATION, split_named

_canonical = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


class Rule(Protocol):
    """Names a row's split, or tells why it has none."""

    def split_of(self, row: ParsedRow) -> str | Fault: ...


class ByContent:
    """A row's place between 0 and 1 is a hash of the row and the seed, however its JSON is spelled: rows that are
    added move no other row, and equal rows are on the same side."""

    def __init__(self, wanted: HashSplit) -> None:
        self._key = wanted.seed.to_bytes(8, "big")
        self._test = int(wanted.test * 2**64)
        self._held_out = int((wanted.test + wanted.validation) * 2**64)

    def split_of(self, row: ParsedRow) -> str:
        text = _canonical(row.value).encode()
        place = int.from_bytes(hashlib.blake2b(text, digest_size=8, key=self._key).digest(), "big")
        if place < self._test:
            return TEST
        return VALIDATION if place < self._held_out else TRAIN


class ByColumn:
    """What the row's own column says, by any of a split's usual names."""

    def __init__(self, column: str) -> None:
        self._column = column

    def split_of(self, row: ParsedRow) -> str | Fault:
        value = row.value.get(self._column)
        found = split_named(value) if isinstance(value, str) else None
        return found or self._fault(row, value)

    def _fault(self, row: ParsedRow, value: Any) -> Fault:
        said = "is missing" if value is None else f"says {shortened(str(value), 40)!r}"
        message = f"the column `{self._column}` {said}; the splits are {', '.join(SPLITS)}"
        return Fault(row.line, row.byte_offset, shortened(self._column), "unknown_split", message)


class ByPart:
    """The part that is being read: set `split` before each."""

    def __init__(self) -> None:
        self.split = TRAIN

    def split_of(self, row: ParsedRow) -> str:
        return self.split


class ByPlaces:
    """As it was elsewhere: a byte for each row, in order."""

    def __init__(self, given: GivenSplits, rows: int) -> None:
        self._places = _unpacked(given.places, rows)
        self._next = 0

    def split_of(self, row: ParsedRow) -> str:
        place = self._places[self._next]
        self._next += 1
        return SPLITS[place]


def _unpacked(text: str, rows: int) -> bytes:
    """Raises Invalid unless there are as many places as rows, each of a split."""
    try:
        places = zlib.decompressobj().decompress(base64.b64decode(text, validate=True), rows + 1)
    except (ValueError, zlib.error) as error:
        message = f"not base64 of what zlib has packed: {error}"
        raise Invalid(message, errors=[FieldError("given.places", message, "bad_places")]) from error
    if len(places) != rows or max(places, default=0) >= len(SPLITS):
        message = f"there must be a byte for each of the {rows:,} rows, and each below {len(SPLITS)}"
        raise Invalid(message, errors=[FieldError("given.places", message, "bad_places")])
    return places


def rule_for(wanted: SplitRequest, rows: int) -> Rule:
    """The rule of a request, which has just one of hash, column, parts and given, for so many rows. Raises Invalid."""
    if wanted.hash is not None:
        return ByContent(wanted.hash)
    if wanted.given is not None:
        return ByPlaces(wanted.given, rows)
    return ByPart() if wanted.column is None else ByColumn(wanted.column)
