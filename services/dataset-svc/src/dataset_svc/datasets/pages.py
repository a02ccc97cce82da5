"""Pages of a version's rows: from a row on, or those in which something is found; bounded work for each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dataset_svc.checks.row_index import RowIndex
from dataset_svc.datasets.objects import object_key
from dataset_svc.readers.lines import lines
from kargah.contracts.datasets import DatasetVersionView
from kargah.domain.errors import Unavailable
from kargah.formats.folding import Needle
from kargah.ports.object_store import ObjectMissing, ObjectStore

_ANSWER_BYTES = 8 << 20
SEARCHED_BYTES = 16 << 20
# CSV rows can grow when they are written as JSON, so the limit here is above the readers'.
LONGEST_STORED_ROW = 64 << 20


@dataclass(slots=True)
class RowPage:
    """`rows` and their `numbers`; `following` is the row from which to go on, None at the end."""

    following: int | None
    numbers: list[int] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)


def read_page(
    store: ObjectStore, version: DatasetVersionView, index: RowIndex, offset: int, limit: int, needle: Needle | None
) -> RowPage:
    """At most `limit` rows from `offset` on, those with `needle` where there is one. Fewer when they are large (8 MiB
    in all, but always one) and when 16 MiB have been searched."""
    page = RowPage(None)
    read = size = 0
    for number, line in _lines(store, version, index, offset):
        read += len(line)
        if len(page.rows) == limit or (needle is not None and read > SEARCHED_BYTES and number > offset):
            page.following = number
            break
        if needle is not None and not _may_have(needle, line):
            continue
        row = json.loads(line)
        if needle is not None and not needle.is_in_row(row):
            continue
        size += len(line)
        if page.rows and size > _ANSWER_BYTES:
            page.following = number
            break
        page.numbers.append(number)
        page.rows.append(row)
    return page


def _may_have(needle: Needle, line: bytes) -> bool:
    """Rules most rows out without reading their JSON; where that is escaped, it must be read."""
    return b"\\" in line or needle.is_in(line.decode())


def _lines(
    store: ObjectStore, version: DatasetVersionView, index: RowIndex, offset: int
) -> Iterator[tuple[int, bytes]]:
    """Numbers and lines from row `offset` on."""
    if offset >= version.stats.rows:
        return
    first, position = index.nearest(offset)
    try:
        with store.open(object_key(version.sha256), offset=position) as stream:
            for line_number, _, data in lines(stream, position, LONGEST_STORED_ROW):
                number = first + line_number - 1
                if number >= offset and data is not None:
                    yield number, data
    except ObjectMissing as error:
        raise lost(version) from error


def lost(version: DatasetVersionView) -> Unavailable:
    """The error when a version's rows are not where they should be."""
    return Unavailable(f"the rows of {version.dataset} version {version.version} are not in the store")
