"""What the routes take in their query strings and forms."""

from __future__ import annotations

from pydantic import Field

from kargah.contracts.base import VersionNumber, WireRequest
from kargah.contracts.uploads import MOST_ORIGIN
from kargah.web.paging import PageQuery


class ListQuery(PageQuery):
    """`search`: part of a name."""

    search: str | None = Field(default=None, min_length=1, max_length=200)


class VersionQuery(WireRequest):
    """`version`: a number; the latest without it."""

    version: VersionNumber | None = None


class PreviewQuery(VersionQuery):
    """`limit` rows from row `offset` (counted from 0) or from a `cursor` on; `search`: text in any of their fields."""

    offset: int = Field(default=0, ge=0, le=2**60)
    limit: int = Field(default=10, ge=1, le=100)
    cursor: str | None = Field(default=None, max_length=1000)
    search: str | None = Field(default=None, min_length=1, max_length=200)


class ContentQuery(WireRequest):
    """`filename` helps to tell the kind of file; `format` and `map` (`field:column,...`) are recognised without.
    `origin`: a JSON object, what is known of the rows where they come from; it becomes the version's lineage."""

    filename: str | None = Field(default=None, max_length=1000)
    format: str | None = Field(default=None, max_length=100)
    map: str | None = Field(default=None, max_length=10_000)
    origin: str | None = Field(default=None, max_length=MOST_ORIGIN)
