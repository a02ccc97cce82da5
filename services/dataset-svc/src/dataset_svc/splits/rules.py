"""Which split a row belongs to: by its content and a seed, by a column, or by the part that it came from."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Protocol

from dataset_svc.readers.rows import Fault, ParsedRow, shortened
from kargah.contracts.datasets import HashSplit, SplitRequest
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


def rule_for(wanted: SplitRequest) -> Rule:
    """The rule of a request, which has just one of hash, column and parts."""
    if wanted.hash is not None:
        return ByContent(wanted.hash)
    return ByPart() if wanted.column is None else ByColumn(wanted.column)
