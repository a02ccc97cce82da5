"""Datasets on the wire."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from kargah.contracts.base import Timestamp, Wire, WireRequest


class DatasetStats(Wire):
    """`field_stats`: per field its count, empty count, and min/mean/max length in characters for strings."""

    rows: int
    size_bytes: int
    fields: list[str]
    field_stats: dict[str, dict[str, float]] = {}
    labels: dict[str, int] = {}


class RowProblem(Wire):
    """Something wrong in an uploaded file: `line` is 1-based, `byte_offset` counts from the file's first byte."""

    line: int
    byte_offset: int | None
    field: str | None
    code: str
    message: str


class RowPlace(Wire):
    """Where something stands in the file that was uploaded."""

    line: int
    byte_offset: int | None
    field: str | None


class RowWarning(RowProblem):
    """Something doubtful: `count` of that kind, the first few `places`, and the `repair` that would mend them
    (`kargah dataset repair --fix`); None where a person must look."""

    count: int = 1
    places: list[RowPlace] = []
    repair: str | None = None


class Lineage(Wire):
    """The version that another was made from, and how."""

    version: int
    version_id: str
    repairs: list[str]
    rows_changed: int
    rows_dropped: int


class DatasetVersionView(Wire):
    """An immutable, content-addressed version: `sha256` of the canonical rows (JSONL, UTF-8, one row a line)."""

    id: str
    dataset: str
    version: int
    format: str
    sha256: str
    source_filename: str
    source_sha256: str
    stats: DatasetStats
    warnings: list[RowWarning] = []
    lineage: Lineage | None = None
    created_at: Timestamp


class DatasetView(Wire):
    """A dataset and its latest version."""

    id: str
    name: str
    created_at: Timestamp
    latest: DatasetVersionView


class DatasetPreview(Wire):
    """Rows `offset` .. `offset + len(rows)` of a version, as stored."""

    version: DatasetVersionView
    offset: int
    rows: list[dict[str, Any]]


class DatasetLocation(Wire):
    """Where a worker reads the rows of a version: an object in the store, to be checked against `sha256`."""

    version: DatasetVersionView
    bucket: str
    key: str
    size_bytes: int = Field(ge=0)


class RepairRequest(WireRequest):
    """`fixes`: arabic-letters, half-space, digits, control-characters, unicode, near-empty, duplicates, or all.

    `version`: the latest without it. With `dry_run` nothing is kept: the answer tells what would be done.
    """

    fixes: list[str] = Field(min_length=1, max_length=20)
    version: int | None = Field(default=None, ge=1, le=2_147_483_647)
    dry_run: bool = False


class RepairSample(Wire):
    """One text before and after; `row` counts from 1 in the repaired version. `after` None: the row was dropped."""

    row: int
    field: str | None
    fixes: list[str]
    before: str
    after: str | None


class RepairReport(Wire):
    """What was done to `version`; `counts`: per fix the places mended, or the rows dropped.

    `rows_unfit`: rows left as they were, since mended they would not fit their format. `result`: the version that
    holds the rows now, `version` itself where nothing was to be mended; None after a dry run.
    """

    dataset: str
    version: int
    fixes: list[str]
    rows: int
    rows_changed: int
    rows_dropped: int
    rows_unfit: int
    counts: dict[str, int]
    samples: list[RepairSample]
    result: DatasetVersionView | None
