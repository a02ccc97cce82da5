"""Splits that a file brings along: a column `split` that names one in each row."""

from __future__ import annotations

from dataclasses import dataclass

from dataset_svc.checks.findings import file_warning
from dataset_svc.checks.streams import Digest
from dataset_svc.readers.jsonl import read_jsonl
from dataset_svc.readers.rows import Fault
from dataset_svc.splits.assignment import Assignment
from dataset_svc.splits.rules import ByColumn
from kargah.contracts.datasets import DatasetStats, RowWarning, SplitStats, VersionSplits
from kargah.domain.splits import SPLITS, TRAIN
from kargah.formats.base import Format
from kargah.ports.object_store import ObjectStore

COLUMN = "split"


@dataclass(frozen=True, slots=True)
class Given:
    """What a file's own column says. `places` has a byte for each row, None where the rows are not divided by it;
    `warnings` then tell why."""

    places: bytes | None
    stats: dict[str, SplitStats]
    warnings: list[RowWarning]

    @property
    def digest(self) -> Digest:
        """Of `places`."""
        digest = Digest()
        digest.add(self.places or b"")
        return digest

    def described(self) -> VersionSplits | None:
        """As the version tells it."""
        if self.places is None:
            return None
        return VersionSplits(kind="column", names=list(SPLITS), sha256=self.digest.sha256, column=COLUMN)


NOTHING = Given(None, {}, [])


def given_splits(store: ObjectStore, key: str, shape: Format, stats: DatasetStats) -> Given:
    """Of the stored rows at `key`, which are gone through once more where they have the column. Raises
    StoreUnavailable, ObjectMissing."""
    if not stats.field_stats.get(COLUMN, {}).get("maxLength"):
        return NOTHING
    assignment, met = Assignment(ByColumn(COLUMN), shape), 0
    with store.open(key) as stream:
        for item in assignment.watch(read_jsonl(stream, 0)):
            if isinstance(item, Fault):
                return _unused(f"row {met + 1:,}: {item.message}") if met else NOTHING
            met += 1
    return _judged(assignment)


def _judged(assignment: Assignment) -> Given:
    """Rows of one split alone are not divided: such a file is a part of something."""
    stats = assignment.stats
    if len(stats) < 2:
        return NOTHING
    if TRAIN not in stats:
        return _unused(f"no row is in {TRAIN}")
    return Given(bytes(assignment.places), stats, assignment.warnings())


def _unused(why: str) -> Given:
    message = f"the rows are not divided by the column `{COLUMN}`: {why}"
    return Given(None, {}, [file_warning("split_not_used", COLUMN, message)])
