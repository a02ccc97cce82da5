"""Whether what is asked in one split is asked in another: then a model is measured on what it has learned."""

from __future__ import annotations

from collections.abc import Callable

from dataset_svc.checks.digests import DigestMap, digest_of
from dataset_svc.readers.rows import ParsedRow

SplitOf = Callable[[ParsedRow], str | None]
"""The split that a row belongs to; None where the file gives it none."""

REMEMBERED = 1_000_000


class Leakage:
    """Remembers the first million questions with the split in which each was first met."""

    def __init__(self, split_of: SplitOf) -> None:
        self._split_of = split_of
        self._asked = DigestMap(REMEMBERED)
        self._names: list[str] = []

    def met_in(self, row: ParsedRow, asked: str) -> tuple[str, str] | None:
        """The row's own split and the other one in which the same was asked before; None where it was not."""
        split = self._split_of(row)
        if split is None or not asked.strip():
            return None
        number = self._number(split)
        before = self._asked.put(digest_of(asked), number)
        return None if before is None or before == number else (split, self._names[before - 1])

    def _number(self, split: str) -> int:
        if split not in self._names:
            self._names.append(split)
        return self._names.index(split) + 1
