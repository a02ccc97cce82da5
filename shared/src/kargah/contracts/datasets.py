"""Datasets on the wire."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from kargah.contracts.base import Timestamp, Wire


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
    warnings: list[RowProblem] = []
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
