"""A few rows before and after, of every repair some, for people to judge by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from kargah.contracts.datasets import RepairSample

_OF_EACH = 3
_AROUND = 60


class Samples:
    """At most three of each repair."""

    def __init__(self) -> None:
        self.taken: list[RepairSample] = []
        self._counts: Counter[str] = Counter()

    def changed(self, row: int, field: str, before: str, after: str, fixes: Collection[str]) -> None:
        """A text that was mended; shown from a little before the first difference."""
        if any(self._counts[fix] < _OF_EACH for fix in fixes):
            self._counts.update(fixes)
            start = max(0, _first_difference(before, after) - _AROUND)
            sample = RepairSample(
                row=row, field=field, fixes=sorted(fixes), before=_cut(before, start), after=_cut(after, start)
            )
            self.taken.append(sample)

    def dropped(self, row: int, fix: str, line: bytes) -> None:
        """A row that went."""
        if self._counts[fix] < _OF_EACH:
            self._counts[fix] += 1
            text = line[: 8 * _AROUND].decode(errors="ignore")
            self.taken.append(RepairSample(row=row, field=None, fixes=[fix], before=_cut(text, 0), after=None))


def _first_difference(before: str, after: str) -> int:
    pairs = zip(before, after, strict=False)
    return next((place for place, (old, new) in enumerate(pairs) if old != new), min(len(before), len(after)))


def _cut(text: str, start: int) -> str:
    end = start + 3 * _AROUND
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
