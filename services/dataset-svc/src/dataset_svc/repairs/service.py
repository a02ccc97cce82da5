"""From one version to the next: the rows stream through the repairs into an upload like any other."""

from __future__ import annotations

import io
from collections.abc import Sequence

from dataset_svc.checks.checked_rows import MIN_ROWS
from dataset_svc.checks.streams import Digest, LinesStream
from dataset_svc.datasets.service import DatasetService
from dataset_svc.datasets.uploads import Request, Uploads
from dataset_svc.repairs.row_repairs import RowRepairs
from kargah.contracts.datasets import (
    DatasetVersionView,
    Lineage,
    RepairReport,
    RepairRequest,
)
from kargah.domain.errors import FieldError, Invalid
from kargah.formats.registry import format_named
from kargah.formats.spelling.repairs import TEXT_REPAIRS

FIXES = (*TEXT_REPAIRS, "near-empty", "duplicates")
ALL = "all"
_BUFFER = 1 << 20


class Repairs:
    """Repairs stored versions. Safe for any number of threads; memory is bounded, whatever the version's size."""

    def __init__(self, datasets: DatasetService, uploads: Uploads) -> None:
        self._datasets = datasets
        self._uploads = uploads

    def run(self, name: str, request: RepairRequest) -> tuple[RepairReport, bool]:
        """What was done and the version that holds the result, and whether that is a new one.

        Raises NotFound, Invalid for an unknown fix and where too few rows would be left, Unavailable.
        """
        fixes = chosen_fixes(request.fixes)
        base = self._datasets.get(name, request.version).latest
        work = RowRepairs(format_named(base.format), fixes)
        lines = work.lines(self._datasets.stored_lines(base))
        if request.dry_run:
            for _ in lines:
                continue
            return _report(base, fixes, work, None), False
        source = io.BufferedReader(LinesStream(lines, Digest()), _BUFFER)
        with self._uploads.staged(source) as staged:
            if work.untouched:
                return _report(base, fixes, work, base), False
            _refuse_next_to_nothing(work)
            result, created = self._uploads.add(staged, _request(base, fixes, work))
            return _report(base, fixes, work, result), created


def chosen_fixes(names: Sequence[str]) -> list[str]:
    """The fixes named, in the order in which they work. Raises Invalid (field `fixes`) for an unknown one."""
    unknown = next((name for name in names if name not in FIXES and name != ALL), None)
    if unknown is not None:
        message = f"there is no fix {unknown[:40]!r}; there are {', '.join(FIXES)}, and all"
        raise Invalid(message, errors=[FieldError("fixes", message, "unknown_fix")])
    return [fix for fix in FIXES if fix in names or ALL in names]


def _refuse_next_to_nothing(work: RowRepairs) -> None:
    left = work.rows - work.dropped
    if left < MIN_ROWS:
        message = f"the repairs would leave {left} of {work.rows:,} rows, and at least {MIN_ROWS} are needed"
        raise Invalid(message, "look at the rows that go: --dry-run", [FieldError("fixes", message, "too_few_rows")])


def _request(base: DatasetVersionView, fixes: list[str], work: RowRepairs) -> Request:
    lineage = Lineage(
        version=base.version,
        version_id=base.id,
        repairs=fixes,
        rows_changed=work.changed,
        rows_dropped=work.dropped,
    )
    filename = f"{base.dataset.rpartition('/')[2]}-{base.version}-repaired.jsonl"
    return Request(base.dataset, filename, base.format, lineage=lineage)


def _report(
    base: DatasetVersionView, fixes: list[str], work: RowRepairs, result: DatasetVersionView | None
) -> RepairReport:
    return RepairReport(
        dataset=base.dataset,
        version=base.version,
        fixes=fixes,
        rows=work.rows,
        rows_changed=work.changed,
        rows_dropped=work.dropped,
        rows_unfit=work.unfit,
        counts=dict(work.counts),
        samples=work.samples.taken,
        result=result,
    )
