"""From one version to the next: the rows stream through the repairs and are checked anew; each keeps its split."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

from dataset_svc.checks.checked_rows import MIN_ROWS, CheckedRows
from dataset_svc.checks.streams import Digest, LinesStream
from dataset_svc.datasets.objects import STAGING, object_key
from dataset_svc.datasets.pages import lost
from dataset_svc.datasets.service import DatasetService
from dataset_svc.datasets.uploads import Uploads
from dataset_svc.readers.rows import Item
from dataset_svc.repairs.kept_splits import KeptSplits
from dataset_svc.repairs.outcome import new_version, report_of
from dataset_svc.repairs.row_repairs import RowRepairs
from kargah.contracts.datasets import DatasetVersionView, RepairReport, RepairRequest
from kargah.domain.errors import FieldError, Invalid
from kargah.domain.ids import new_id
from kargah.formats.registry import format_named
from kargah.formats.spelling.repairs import TEXT_REPAIRS
from kargah.ports.object_store import ObjectMissing, ObjectStore

FIXES = (*TEXT_REPAIRS, "near-empty", "duplicates")
ALL = "all"
_BUFFER = 1 << 20


class Repairs:
    """Repairs stored versions. Safe for any number of threads; memory is bounded, but for a byte a row with splits."""

    def __init__(self, store: ObjectStore, datasets: DatasetService, uploads: Uploads) -> None:
        self._store = store
        self._datasets = datasets
        self._uploads = uploads

    def run(self, name: str, request: RepairRequest) -> tuple[RepairReport, bool]:
        """What was done and the version that holds the result, and whether that is a new one.

        Raises NotFound, Invalid for an unknown fix and where too few rows would be left, Unavailable.
        """
        fixes = chosen_fixes(request.fixes)
        base = self._datasets.get(name, request.version).latest
        work = RowRepairs(format_named(base.format), fixes)
        items = work.items(self._datasets.stored_lines(base))
        if request.dry_run:
            for _ in items:
                continue
            return report_of(base, work, fixes, None), False
        result, created = self._repaired(base, work, fixes, items)
        return report_of(base, work, fixes, result), created

    def _repaired(
        self, base: DatasetVersionView, work: RowRepairs, fixes: list[str], items: Iterator[Item]
    ) -> tuple[DatasetVersionView, bool]:
        """The version that holds the rows, the old one where nothing was mended; whether it is new."""
        splits = self._splits(base, work)
        rows_key, places_key = (f"{STAGING}{new_id('repair')}/{what}" for what in ("rows", "splits"))
        watched = _enough(items if splits is None else splits.watch(items), work)
        checked, rows = CheckedRows(watched, base.format, {}), Digest()
        try:
            self._store.put_stream(rows_key, io.BufferedReader(LinesStream(checked.lines(), rows), _BUFFER))
            if work.untouched:
                return base, False
            objects = {rows_key: rows}
            if splits is not None:
                self._store.put(places_key, splits.places)
                objects[places_key] = splits.digest()
            return self._uploads.record(new_version(base, work, fixes, checked, rows, splits), objects)
        finally:
            self._uploads.drop(rows_key)
            self._uploads.drop(places_key)

    def _splits(self, base: DatasetVersionView, work: RowRepairs) -> KeptSplits | None:
        if base.splits is None:
            return None
        try:
            return KeptSplits(base.splits, self._store.get(object_key(base.splits.sha256)), work)
        except ObjectMissing as error:
            raise lost(base) from error


def chosen_fixes(names: Sequence[str]) -> list[str]:
    """The fixes named, in the order in which they work. Raises Invalid (field `fixes`) for an unknown one."""
    unknown = next((name for name in names if name not in FIXES and name != ALL), None)
    if unknown is not None:
        message = f"there is no fix {unknown[:40]!r}; there are {', '.join(FIXES)}, and all"
        raise Invalid(message, errors=[FieldError("fixes", message, "unknown_fix")])
    return [fix for fix in FIXES if fix in names or ALL in names]


def _enough(items: Iterator[Item], work: RowRepairs) -> Iterator[Item]:
    """The items; at their end Invalid where the repairs dropped next to all."""
    yield from items
    left = work.rows - work.dropped
    if left < MIN_ROWS:
        message = f"the repairs would leave {left} of {work.rows:,} rows, and at least {MIN_ROWS} are needed"
        raise Invalid(message, "look at the rows that go: --dry-run", [FieldError("fixes", message, "too_few_rows")])
