"""Collects which row is in which split while the rows go by, and what each split holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from dataset_svc.checks.scripts import ScriptCount
from dataset_svc.checks.statistics import LONGEST_NAME, MAX_LABELS, most_first
from dataset_svc.readers.rows import Fault, Item, ParsedRow
from dataset_svc.splits.leakage import Leakage
from dataset_svc.splits.rules import Rule
from kargah.contracts.datasets import RowWarning, SplitStats
from kargah.domain.splits import SPLITS
from kargah.formats.base import Format, LabelledText


@dataclass(slots=True)
class _Tally:
    rows: int = 0
    size_bytes: int = 0
    labels: dict[str, int] = field(default_factory=dict)
    scripts: ScriptCount = field(default_factory=ScriptCount)

    def add(self, row: ParsedRow, label: str | None) -> None:
        self.rows += 1
        self.size_bytes += len(row.raw or b"") + 1
        self.scripts.add(row.value)
        if label is not None and (label in self.labels or len(self.labels) < MAX_LABELS):
            self.labels[label] = self.labels.get(label, 0) + 1


class Assignment:
    """`places` has a byte for each row: its split's place in `SPLITS`."""

    def __init__(self, rule: Rule, shape: Format) -> None:
        self.places = bytearray()
        self._rule = rule
        self._shape = shape
        self._tallies = {name: _Tally() for name in SPLITS}
        self._leakage = Leakage()

    def watch(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items as they are; a row without a split becomes a fault."""
        for item in items:
            yield self._assigned(item) if isinstance(item, ParsedRow) else item

    def warnings(self) -> list[RowWarning]:
        """What stands in more than one split."""
        return self._leakage.view()

    @property
    def stats(self) -> dict[str, SplitStats]:
        """Of the splits that have rows, in the order of `SPLITS`; shares of the rows, to six decimals."""
        return {
            name: SplitStats(
                rows=tally.rows,
                share=round(tally.rows / len(self.places), 6),
                size_bytes=tally.size_bytes,
                labels=most_first(tally.labels),
                scripts=most_first(tally.scripts.counts),
            )
            for name, tally in self._tallies.items()
            if tally.rows
        }

    def _assigned(self, row: ParsedRow) -> Item:
        split = self._rule.split_of(row)
        if isinstance(split, Fault):
            return split
        self.places.append(SPLITS.index(split))
        if not self._shape.validate(row.value):
            self._leakage.add(len(self.places), split, row.raw or b"", self._shape.exchange(row.value).asked)
            self._tallies[split].add(row, self._label(row))
        return row

    def _label(self, row: ParsedRow) -> str | None:
        example = self._shape.to_example(row.value) if self._shape.trained else None
        return example.label[:LONGEST_NAME] if isinstance(example, LabelledText) else None
