"""Datasets on the wire."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from kargah.contracts.base import Timestamp, VersionNumber, Wire, WireRequest

MAX_PLACES_TEXT = 64 << 20


class SplitStats(Wire):
    """One split: `share` is its exact part of the rows, to six decimals."""

    rows: int
    share: float
    size_bytes: int
    labels: dict[str, int] = {}
    scripts: dict[str, int] = {}


class DatasetStats(Wire):
    """`field_stats`: per field its count, empty count, and min/mean/max length in characters for strings. `row_bytes`:
    min, mean and max size of a row as stored. `scripts`: how many rows, of the first 10,000 and each tenth after them,
    are mainly persian, arabic_script (of another language), latin, other, mixed, or have no letters (none); it and
    `row_bytes` are empty for versions of releases that did not count them. `splits`: those that have rows."""

    rows: int
    size_bytes: int
    fields: list[str]
    field_stats: dict[str, dict[str, float]] = {}
    labels: dict[str, int] = {}
    row_bytes: dict[str, float] = {}
    scripts: dict[str, int] = {}
    splits: dict[str, SplitStats] = {}


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
    """The version that another was made from, and how; or `imported_from`: what a bundle told of the version where it
    comes from, with its own lineage."""

    version: int | None = None
    version_id: str | None = None
    repairs: list[str] = []
    rows_changed: int = 0
    rows_dropped: int = 0
    imported_from: dict[str, Any] | None = None


class VersionSplits(Wire):
    """How the rows were divided: by a hash with `seed` and the shares `asked` for, by a `column`, or as the parts that
    the version was put together from. The object of `sha256` has a byte for each row: its split's place in `names`;
    `files` the sha256 of each split's own rows, of which releases that made no such objects tell nothing."""

    kind: Literal["hash", "column", "parts"]
    names: list[str]
    sha256: str
    seed: int | None = None
    asked: dict[str, float] = {}
    column: str | None = None
    files: dict[str, str] = {}


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
    splits: VersionSplits | None = None
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
    """Rows of a version as stored, each with its number (counted from 0), looked for from row `offset` on. Where rows
    are left, `next_cursor` goes on with row `next_offset`: a search may find nothing and still have rows left."""

    version: DatasetVersionView
    offset: int
    rows: list[dict[str, Any]]
    numbers: list[int] = []
    next_offset: int | None = None
    next_cursor: str | None = None


class HashSplit(WireRequest):
    """Shares of the rows, chosen by content and `seed`: about so many, and the same ones when others are added."""

    test: float = Field(gt=0, le=0.9)
    validation: float = Field(default=0, ge=0, le=0.9)
    seed: int = Field(default=0, ge=0, le=2**63 - 1)

    @model_validator(mode="after")
    def _leave_rows_to_train_on(self) -> Self:
        if self.test + self.validation > 0.95:
            raise ValueError("test and validation together may take 0.95 of the rows at most")
        return self

    def shares(self) -> dict[str, float]:
        """By split, those that are asked for."""
        return {"test": self.test} | ({"validation": self.validation} if self.validation else {})


class SplitParts(WireRequest):
    """Numbers of versions of the same dataset: the rows of each are a split of the new one."""

    train: VersionNumber
    validation: VersionNumber | None = None
    test: VersionNumber | None = None

    @model_validator(mode="after")
    def _need_two(self) -> Self:
        if len(set(self.given().values())) < len(self.given()) or len(self.given()) < 2:
            raise ValueError("name two or three different versions: train, and validation or test or both")
        return self

    def given(self) -> dict[str, int]:
        """By split, in the order in which their rows follow each other."""
        numbers = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: number for name, number in numbers.items() if number is not None}


class GivenSplits(WireRequest):
    """Splits as they were elsewhere: `places`, a byte for each row (its split's place in train, validation, test),
    packed with zlib, in base64. `splits`: how the rows were divided there."""

    places: str = Field(max_length=MAX_PLACES_TEXT)
    splits: VersionSplits


class SplitRequest(WireRequest):
    """`POST /api/datasets/<name>/splits`, one of: `hash`; `column`, which names each row's split; `parts`; `given`.

    `version`: which one is divided, by default the latest.
    """

    version: VersionNumber | None = None
    hash: HashSplit | None = None
    column: str | None = Field(default=None, min_length=1, max_length=200)
    parts: SplitParts | None = None
    given: GivenSplits | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        given = [name for name in ("hash", "column", "parts", "given") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("give one of hash, column, parts and given")
        if self.parts is not None and self.version is not None:
            raise ValueError("version does not go with parts")
        return self


class DatasetLocation(Wire):
    """Where a worker reads the rows of a version: an object in the store, to be checked against `sha256`. That of its
    splits lies beside it."""

    version: DatasetVersionView
    bucket: str
    key: str
    size_bytes: int = Field(ge=0)


class RepairRequest(WireRequest):
    """`fixes`: arabic-letters, half-space, digits, control-characters, unicode, near-empty, leakage (from one split to
    another), duplicates, or all.

    `version`: the latest without it. With `dry_run` nothing is kept: the answer tells what would be done.
    """

    fixes: list[str] = Field(min_length=1, max_length=20)
    version: VersionNumber | None = None
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
