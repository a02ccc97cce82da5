"""Mends rows one after the other, and keeps count of what was done."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from dataset_svc.checks.checked_rows import row_json
from dataset_svc.checks.digests import DigestSet
from dataset_svc.checks.hashing import digest_of
from dataset_svc.checks.near_empty import is_near_empty
from dataset_svc.checks.row_texts import with_texts
from dataset_svc.readers.rows import ROW_LIMIT, ParsedRow
from dataset_svc.repairs.leaks import Leaks
from dataset_svc.repairs.samples import Samples
from kargah.formats.base import Format
from kargah.formats.spelling.repairs import mend

REMEMBERED = 4_000_000
"""Rows among which repeats are found: 64 MiB of digests."""


class RowRepairs:
    """Iterate `items()` to its end; after that the other attributes tell what was done. Memory is bounded.

    Texts are mended first, so rows that become equal by it count as repeats.
    """

    def __init__(self, shape: Format, fixes: Collection[str], leaks: Leaks | None = None) -> None:
        self.rows = self.changed = self.dropped = self.unfit = 0
        self.counts: Counter[str] = Counter({fix: 0 for fix in fixes})
        self.samples = Samples()
        self.shape = shape
        self._fixes = frozenset(fixes)
        self._leaks = leaks
        self._seen = DigestSet(REMEMBERED)

    @property
    def untouched(self) -> bool:
        """Whether every row stayed as it was."""
        return self.changed == self.dropped == 0

    def items(self, stored: Iterable[bytes]) -> Iterator[ParsedRow]:
        """The rows that stay; those that need nothing keep their bytes. While one is out, `rows` is the number that it
        had in the version repaired, counted from 1; its own line and offset are those that it will have."""
        number = offset = 0
        for line in stored:
            self.rows += 1
            kept = self._kept(line.rstrip(b"\n"))
            if kept is not None:
                number += 1
                yield ParsedRow(number, offset, *kept)
                offset += len(kept[1]) + 1

    def _kept(self, line: bytes) -> tuple[dict[str, Any], bytes] | None:
        row = json.loads(line)
        mended = self._mended(row)
        if mended is not row:
            row, line = mended, row_json(mended)
            self.changed += 1
        dropped_by = self._dropped_by(row, line)
        if dropped_by is None:
            return row, line
        self.dropped += 1
        self.counts[dropped_by] += 1
        self.samples.dropped(self.rows, dropped_by, line)
        return None

    def _dropped_by(self, row: dict[str, Any], line: bytes) -> str | None:
        if self._leaks is not None and self._leaks.gives_away(self.rows, row, line):
            return "leakage"
        if "near-empty" in self._fixes and is_near_empty(self.shape.exchange(row).answer):
            return "near-empty"
        if "duplicates" in self._fixes and self._seen.add(digest_of(row_json(row))):
            return "duplicates"
        return None

    def _mended(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row itself where nothing changes, and where it would not fit its format any more."""
        found: Counter[str] = Counter()
        told: list[tuple[str, str, str, frozenset[str]]] = []

        def change(field: str, text: str) -> str:
            after, faults = mend(text, self._fixes)
            if faults:
                repairs = Counter(str(fault.repair) for fault in faults)
                found.update(repairs)
                told.append((field, text, after, frozenset(repairs)))
            return after

        mended = with_texts(row, change)
        if not told:
            return row
        if self.shape.validate(mended) or len(row_json(mended)) > ROW_LIMIT:
            self.unfit += 1
            return row
        self.counts.update(found)
        for field, before, after, repairs in told:
            self.samples.changed(self.rows, field, before, after, repairs)
        return mended
