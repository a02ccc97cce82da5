"""Uploads in parts on the wire."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kargah.contracts.base import Sha256, Timestamp, Wire, WireRequest
from kargah.contracts.datasets import DatasetVersionView
from kargah.contracts.problem import Problem

MOST_ORIGIN = 6000
UploadState = Literal["open", "checking", "done", "failed"]


class UploadCreate(WireRequest):
    """A file about to be sent. The same name, filename, size, and `sha256` or `modified` (when it was changed, in any
    spelling) again: the upload that is under way, or done, already. `origin`: a JSON object, what is known of the rows
    where they come from; it becomes the version's lineage."""

    name: str = Field(max_length=300)
    filename: str = Field(min_length=1, max_length=1000)
    size_bytes: int = Field(ge=1)
    sha256: Sha256 | None = None
    modified: str | None = Field(default=None, min_length=1, max_length=100)
    format: str | None = Field(default=None, max_length=100)
    map: str | None = Field(default=None, max_length=10_000)
    origin: str | None = Field(default=None, max_length=MOST_ORIGIN)


class UploadComplete(WireRequest):
    """All parts are sent. `sha256` of the whole file: what arrived is compared with it."""

    sha256: Sha256 | None = None


class UploadView(Wire):
    """`open`: parts may come, `parts` (numbers from 1) are there, each `part_bytes` but the last. `checking`:
    `checked_bytes` of it are read. `done`: the `version`, None when it was deleted since. `failed`: the `problem`."""

    id: str
    name: str
    filename: str
    state: UploadState
    size_bytes: int
    part_bytes: int
    part_count: int
    parts: list[int]
    checked_bytes: int = 0
    version: DatasetVersionView | None = None
    is_new: bool | None = None
    problem: Problem | None = None
    created_at: Timestamp
    expires_at: Timestamp | None = None


class PartUrl(Wire):
    """PUT the file's `size_bytes` bytes from `offset` on there, before `expires_at`; no credentials are needed."""

    number: int
    offset: int
    size_bytes: int
    url: str
    expires_at: Timestamp


class PartUrls(Wire):
    """URLs of parts that are not there yet, in order; `next_after` is what `?after=` takes, None at the end."""

    items: list[PartUrl]
    next_after: int | None = None
