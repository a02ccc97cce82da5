"""From one version to the next: the rows stream through the repairs and are checked anew; each keeps its split."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence

from dataset_svc.checks.checked_rows import MIN_ROWS, CheckedRows
from dataset_svc.checks.streams import Digest, LinesStream, OnBytes
from dataset_svc.datasets.objects import STAGING, object_key
from dataset_svc.datasets.pages import lost
from dataset_svc.datasets.service import DatasetService
from dataset_svc.datasets.uploads import OnRecorded, Uploads
from dataset_svc.readers.rows import Item
from dataset_svc.repairs.kept_splits import KeptSplits
from dataset_svc.repairs.leaks import Leaks
from dataset_svc.repairs.outcome import new_version, report_of
from dataset_svc.repairs.row_repairs import RowRepairs
from kargah.contracts.datasets import DatasetVersionView, RepairReport, RepairRequest
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import FieldError, Invalid
from kargah.domain.ids import new_id
from kargah.formats.registry import format_named
from kargah.formats.spelling.repairs import TEXT_REPAIRS
from kargah.ports.object_store import ObjectMissing, ObjectStore

LEAKAGE = "leakage"
FIXES = (*TEXT_REPAIRS, "near-empty", LEAKAGE, "duplicates")
ALL = "all"
_BUFFER = 1 << 20
OnDone = Callable[[UnitOfWork, RepairReport, bool], None]
"""Called with the report, and whether its version is new, within the transaction that records it."""


class Repairs:
    """Repairs stored versions. Safe for any number of threads; memory is bounded, but for a byte a row with splits."""

    def __init__(self, store: ObjectStore, engine: Engine, datasets: DatasetService, uploads: Uploads) -> None:
        self._store = store
        self._engine = engine
        self._datasets = datasets
        self._uploads = uploads

    def run(self, name: str, request: RepairRequest, on_bytes: OnBytes, on_done: OnDone) -> None:
        """Mend the rows, and tell `on_done` what was done and which version holds the result; what it raises undoes
        that. Raises NotFound, Invalid where next to no row would be left, Unavailable."""
        base = self._datasets.get(name, request.version).latest
        fixes = chosen_fixes(request.fixes, divided=base.splits is not None)
        places = self._places(base)
        work = RowRepairs(format_named(base.format), fixes, self._leaks(base, fixes, places, on_bytes))
        items = work.items(self._lines(base, on_bytes))
        if request.dry_run:
            for _ in items:
                continue
            self._tell(report_of(base, work, fixes, None), on_done)
        else:
            splits = KeptSplits(base.splits, places, work) if base.splits is not None else None
            self._mend(base, work, fixes, items, splits, on_done)

    def _mend(
        self,
        base: DatasetVersionView,
        work: RowRepairs,
        fixes: list[str],
        items: Iterator[Item],
        splits: KeptSplits | None,
        on_done: OnDone,
    ) -> None:
        """Into a new version; the old one where nothing was to be mended."""
        rows_key, places_key = (f"{STAGING}{new_id('repair')}/{what}" for what in ("rows", "splits"))
        watched = _enough(items if splits is None else splits.watch(items), work)
        checked, rows = CheckedRows(watched, base.format, {}), Digest()
        try:
            self._store.put_stream(rows_key, io.BufferedReader(LinesStream(checked.lines(), rows), _BUFFER))
            if work.untouched:
                return self._tell(report_of(base, work, fixes, base), on_done)
            objects = {rows_key: rows}
            if splits is not None:
                self._store.put(places_key, splits.places)
                objects[places_key] = splits.digest()
            new = new_version(base, work, fixes, checked, rows, splits)
            self._uploads.record(new, objects, _recording(base, work, fixes, on_done))
        finally:
            self._uploads.drop(rows_key)
            self._uploads.drop(places_key)

    def _tell(self, report: RepairReport, on_done: OnDone) -> None:
        with UnitOfWork(self._engine) as tx:
            on_done(tx, report, False)

    def _places(self, base: DatasetVersionView) -> bytes:
        """A byte for each row, nothing without splits."""
        try:
            return b"" if base.splits is None else self._store.get(object_key(base.splits.sha256))
        except ObjectMissing as error:
            raise lost(base) from error

    def _leaks(self, base: DatasetVersionView, fixes: list[str], places: bytes, on_bytes: OnBytes) -> Leaks | None:
        if LEAKAGE not in fixes or base.splits is None:
            return None
        return Leaks(base.splits, places, format_named(base.format), self._lines(base, on_bytes))

    def _lines(self, base: DatasetVersionView, on_bytes: OnBytes) -> Iterator[bytes]:
        for line in self._datasets.stored_lines(base):
            on_bytes(len(line))
            yield line


def repair_bytes(request: RepairRequest, base: DatasetVersionView) -> int:
    """How much is gone through to repair `base`. Raises Invalid for what it cannot be repaired of."""
    passes = 2 if LEAKAGE in chosen_fixes(request.fixes, divided=base.splits is not None) else 1
    return passes * base.stats.size_bytes


def chosen_fixes(names: Sequence[str], *, divided: bool) -> list[str]:
    """The fixes named, in the order in which they work. Raises Invalid (field `fixes`) for an unknown one, and for
    leakage alone where nothing is divided; among `all` it is then left out."""
    unknown = next((name for name in names if name not in FIXES and name != ALL), None)
    if unknown is not None:
        message = f"there is no fix {unknown[:40]!r}; there are {', '.join(FIXES)}, and all"
        raise Invalid(message, errors=[FieldError("fixes", message, "unknown_fix")])
    if LEAKAGE in names and not divided:
        message = "the version has no splits, so nothing can leak from one to another"
        raise Invalid(message, "divide it first: kargah dataset split", [FieldError("fixes", message, "no_splits")])
    possible = (fix for fix in FIXES if fix != LEAKAGE or divided)
    return [fix for fix in possible if fix in names or ALL in names]


def _recording(base: DatasetVersionView, work: RowRepairs, fixes: list[str], on_done: OnDone) -> OnRecorded:
    def record(tx: UnitOfWork, version: DatasetVersionView, is_new: bool) -> None:
        on_done(tx, report_of(base, work, fixes, version), is_new)

    return record


def _enough(items: Iterator[Item], work: RowRepairs) -> Iterator[Item]:
    """The items; at their end Invalid where the repairs dropped next to all."""
    yield from items
    left = work.rows - work.dropped
    if left < MIN_ROWS:
        message = f"the repairs would leave {left} of {work.rows:,} rows, and at least {MIN_ROWS} are needed"
        raise Invalid(message, "look at the rows that go: --dry-run", [FieldError("fixes", message, "too_few_rows")])
