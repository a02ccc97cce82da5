"""What can be asked of datasets that are there: look, page through, locate, delete."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from dataset_svc.datasets import repository
from dataset_svc.datasets.objects import object_key, release
from dataset_svc.datasets.values import ListPosition
from dataset_svc.readers.lines import lines
from kargah.contracts.base import Page
from kargah.contracts.datasets import (
    DatasetLocation,
    DatasetPreview,
    DatasetVersionView,
    DatasetView,
)
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import FieldError, Invalid, NotFound, Unavailable
from kargah.ports.object_store import ObjectMissing, ObjectStore
from kargah.web.paging import decode_cursor, encode_cursor

_PREVIEW_BYTES = 8 << 20
# CSV rows can grow when they are written as JSON, so the limit here is above the readers'.
_LONGEST_STORED_ROW = 64 << 20


class DatasetService:
    """Reads and deletes. Raises NotFound for unknown names and versions, Unavailable when store or database are."""

    def __init__(self, store: ObjectStore, engine: Engine) -> None:
        self._store = store
        self._engine = engine

    def page(self, search: str | None, cursor: str | None, limit: int) -> Page[DatasetView]:
        """A page, newest first; `search` is part of a name, in any case."""
        after = None if cursor is None else _position(cursor)
        with UnitOfWork(self._engine) as tx:
            found, total = repository.list_datasets(tx.connection, search, after, limit + 1)
        items, more = found[:limit], len(found) > limit
        following = encode_cursor(items[-1].created_at.isoformat(), items[-1].id) if more else None
        return Page[DatasetView](items=items, next_cursor=following, total=total)

    def versions(self, name: str, cursor: str | None, limit: int) -> Page[DatasetVersionView]:
        """A page of a dataset's versions, newest first."""
        below = None if cursor is None else int(str(decode_cursor(cursor, int)[0]))
        with UnitOfWork(self._engine) as tx:
            found, total = repository.list_versions(tx.connection, name, below, limit + 1)
        if not total:
            raise _unknown(name, None)
        items, more = found[:limit], len(found) > limit
        following = encode_cursor(items[-1].version) if more else None
        return Page[DatasetVersionView](items=items, next_cursor=following, total=total)

    def get(self, name: str, version: int | None = None) -> DatasetView:
        """A dataset; `version` puts that version in the latest one's place."""
        with UnitOfWork(self._engine) as tx:
            found = repository.get_dataset(tx.connection, name, version)
        if found is None:
            raise _unknown(name, version)
        return found

    def location(self, name: str, version: int | None = None) -> DatasetLocation:
        """Where the rows lie."""
        found = self.get(name, version).latest
        key, size = object_key(found.sha256), found.stats.size_bytes
        return DatasetLocation(version=found, bucket=self._store.bucket, key=key, size_bytes=size)

    def preview(self, name: str, version: int | None, offset: int, limit: int) -> DatasetPreview:
        """Rows from `offset` on: at most `limit`, and fewer when they are large (8 MiB in all, but always one)."""
        with UnitOfWork(self._engine) as tx:
            found = repository.get_dataset(tx.connection, name, version)
            if found is None:
                raise _unknown(name, version)
            row, position = repository.get_index(tx.connection, found.latest.id).nearest(offset)
        rows = self._rows(found.latest, position, offset - row, limit) if offset < found.latest.stats.rows else []
        return DatasetPreview(version=found.latest, offset=offset, rows=rows)

    def stored_lines(self, version: DatasetVersionView) -> Iterator[bytes]:
        """Every row of a version as stored, in order, read as they are asked for."""
        try:
            with self._store.open(object_key(version.sha256)) as stream:
                for number, _, data in lines(stream, 0, _LONGEST_STORED_ROW):
                    if data is None:
                        raise Unavailable(f"row {number} of {version.dataset} version {version.version} is too long")
                    yield data
        except ObjectMissing as error:
            raise _lost(version) from error

    def delete(self, name: str) -> None:
        """Remove a dataset with all its versions, and the objects that no other version needs."""
        with UnitOfWork(self._engine) as tx:
            digests = repository.delete_dataset(tx.connection, name)
        if digests is None:
            raise _unknown(name, None)
        release(self._store, self._engine, digests)

    def _rows(self, version: DatasetVersionView, position: int, skip: int, limit: int) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        size = 0
        try:
            with self._store.open(object_key(version.sha256), offset=position) as stream:
                for number, _, data in lines(stream, position, _LONGEST_STORED_ROW):
                    if number <= skip or data is None:
                        continue
                    size += len(data)
                    if len(rows) == limit or (rows and size > _PREVIEW_BYTES):
                        break
                    rows.append(json.loads(data))
        except ObjectMissing as error:
            raise _lost(version) from error
        return rows


def _lost(version: DatasetVersionView) -> Unavailable:
    return Unavailable(f"the rows of {version.dataset} version {version.version} are not in the store")


def _unknown(name: str, version: int | None) -> NotFound:
    what = f"no dataset is named {name[:200]!r}" if version is None else f"{name[:200]!r} has no version {version}"
    return NotFound(what, "see what is installed: kargah dataset list")


def _position(cursor: str) -> ListPosition:
    created_at, last_id = decode_cursor(cursor, str, str)
    try:
        moment = datetime.fromisoformat(str(created_at)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        message = "not a cursor of this list"
        raise Invalid(message, errors=[FieldError("cursor", message, "bad_cursor")]) from error
    return ListPosition(moment, str(last_id))
