"""What a repair made: the new version, and the report on it."""

from __future__ import annotations

from dataset_svc.checks.checked_rows import CheckedRows
from dataset_svc.checks.streams import Digest
from dataset_svc.datasets.values import NewVersion
from dataset_svc.repairs.kept_splits import KeptSplits
from dataset_svc.repairs.row_repairs import RowRepairs
from kargah.contracts.datasets import DatasetVersionView, Lineage, RepairReport


def new_version(
    base: DatasetVersionView,
    work: RowRepairs,
    fixes: list[str],
    checked: CheckedRows,
    rows: Digest,
    splits: KeptSplits | None,
) -> NewVersion:
    """Its source are its rows: what was once uploaded belongs to the version that it was made from."""
    lineage = Lineage(
        version=base.version,
        version_id=base.id,
        repairs=fixes,
        rows_changed=work.changed,
        rows_dropped=work.dropped,
    )
    stats, warnings = checked.statistics.view(), checked.warnings.view(checked.statistics)
    if splits is not None:
        stats, warnings = stats.model_copy(update={"splits": splits.stats}), splits.warnings() + warnings
    return NewVersion(
        name=base.dataset,
        format=checked.format.name,
        sha256=rows.sha256,
        source_sha256=rows.sha256,
        source_filename=base.source_filename,
        stats=stats,
        warnings=warnings,
        index=checked.index,
        lineage=lineage,
        splits=None if splits is None else splits.described(),
    )


def report_of(
    base: DatasetVersionView, work: RowRepairs, fixes: list[str], result: DatasetVersionView | None
) -> RepairReport:
    """The contract's view; `result` None for a dry run."""
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
