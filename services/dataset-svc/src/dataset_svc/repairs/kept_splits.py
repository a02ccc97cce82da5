"""The splits of a version that is repaired: each row that stays is in the split in which it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dataset_svc.checks.streams import Digest
from dataset_svc.readers.rows import Item, ParsedRow
from dataset_svc.repairs.row_repairs import RowRepairs
from dataset_svc.splits.assignment import Assignment
from kargah.contracts.datasets import RowWarning, SplitStats, VersionSplits


class KeptSplits:
    """`before` has a byte for each row of the version repaired: its split's place in `splits.names`."""

    def __init__(self, splits: VersionSplits, before: bytes, work: RowRepairs) -> None:
        self._splits = splits
        self._before = before
        self._work = work
        self._assignment = Assignment(self, work.shape)

    def split_of(self, row: ParsedRow) -> str:
        """Of the row that the repairs have just given out."""
        return self._splits.names[self._before[self._work.rows - 1]]

    def watch(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items as they are."""
        return self._assignment.watch(items)

    @property
    def places(self) -> bytes:
        """A byte for each row that stays."""
        return bytes(self._assignment.places)

    @property
    def stats(self) -> dict[str, SplitStats]:
        """Of each split that has rows."""
        return self._assignment.stats

    def warnings(self) -> list[RowWarning]:
        """What stands in two splits now."""
        return self._assignment.warnings()

    def digest(self) -> Digest:
        """Of `places`."""
        digest = Digest()
        digest.add(self.places)
        return digest

    def described(self) -> VersionSplits:
        """As before, but for where each row's split is told."""
        return self._splits.model_copy(update={"sha256": self.digest().sha256})
