"""What the service's parts hand to each other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dataset_svc.checks.row_index import RowIndex
from kargah.contracts.datasets import DatasetStats, Lineage, RowWarning, VersionSplits


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version about to be recorded; its objects are in the store."""

    name: str
    format: str
    sha256: str
    source_sha256: str
    source_filename: str
    stats: DatasetStats
    warnings: list[RowWarning]
    index: RowIndex
    lineage: Lineage | None = None
    splits: VersionSplits | None = None


@dataclass(frozen=True, slots=True)
class ListPosition:
    """Where a page of the list ends: the last dataset's sort key."""

    created_at: datetime
    id: str
