"""What can be asked of datasets that are there: look, page through, locate, delete."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from dataset_svc.changes import repository as changes
from dataset_svc.checks.row_index import RowIndex
from dataset_svc.datasets import removal_repository, repository
from dataset_svc.datasets.objects import object_key, release
from dataset_svc.datasets.pages import LONGEST_STORED_ROW, lost, read_page
from dataset_svc.datasets.queries import PreviewQuery
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
from kargah.domain.errors import Conflict, NotFound, Unavailable
from kargah.formats.folding import Needle
from kargah.ports.object_store import ObjectMissing, ObjectStore
from kargah.web.paging import bad_cursor, decode_cursor, encode_cursor

_CHUNK = 256 << 10


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

    def version_id(self, name: str, version: int | None = None) -> str | None:
        """Of the version that the name and `version` stand for now; None where there is none."""
        with UnitOfWork(self._engine) as tx:
            return repository.version_id(tx.connection, name, version)

    def location(self, name: str, version: int | None = None) -> DatasetLocation:
        """Where the rows lie."""
        found = self.get(name, version).latest
        key, size = object_key(found.sha256), found.stats.size_bytes
        return DatasetLocation(version=found, bucket=self._store.bucket, key=key, size_bytes=size)

    def preview(self, name: str, query: PreviewQuery) -> DatasetPreview:
        """Rows from `query.offset` or its cursor on; with `search`, those of them that have it. Work is bounded: where
        an answer ends before the rows do, its cursor goes on in the same version."""
        number, offset = (query.version, query.offset) if query.cursor is None else _place(query.cursor)
        with UnitOfWork(self._engine) as tx:
            found = repository.get_dataset(tx.connection, name, number)
        if found is None:
            raise _unknown(name, number)
        version, index = found.latest, self.index(found.latest)
        needle = None if query.search is None else Needle.of(query.search)
        page = read_page(self._store, version, index, offset, query.limit, needle)
        following = None if page.following is None else encode_cursor(version.version, page.following)
        return DatasetPreview(
            version=version,
            offset=offset,
            rows=page.rows,
            numbers=page.numbers,
            next_offset=page.following,
            next_cursor=following,
        )

    def content(self, name: str, version: int | None) -> tuple[int, Iterator[bytes]]:
        """The rows of a version as stored: how many bytes, and the bytes."""
        found = self.get(name, version).latest
        return self._object(found, found.sha256)

    def places(self, name: str, version: int | None) -> tuple[int, Iterator[bytes]]:
        """A byte for each row of a version that has splits: its split's place in `splits.names`. Raises NotFound."""
        found = self.get(name, version).latest
        if found.splits is None:
            message = f"{found.dataset} version {found.version} has no splits"
            raise NotFound(message, "make some: kargah dataset split")
        return self._object(found, found.splits.sha256)

    def _object(self, version: DatasetVersionView, digest: str) -> tuple[int, Iterator[bytes]]:
        try:
            size = self._store.stat(object_key(digest)).size
        except ObjectMissing as error:
            raise lost(version) from error
        return size, self._chunks(object_key(digest))

    def _chunks(self, key: str) -> Iterator[bytes]:
        with self._store.open(key) as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk

    def index(self, version: DatasetVersionView) -> RowIndex:
        """Where its rows begin. Raises NotFound when it was deleted since it was looked up."""
        with UnitOfWork(self._engine) as tx:
            index = repository.get_index(tx.connection, version.id)
        if index is None:
            raise _unknown(version.dataset, version.version)
        return index

    def stored_lines(self, version: DatasetVersionView) -> Iterator[bytes]:
        """Every row of a version as stored, in order, read as they are asked for."""
        try:
            with self._store.open(object_key(version.sha256)) as stream:
                for number, _, data in lines(stream, 0, LONGEST_STORED_ROW):
                    if data is None:
                        raise Unavailable(f"row {number} of {version.dataset} version {version.version} is too long")
                    yield data
        except ObjectMissing as error:
            raise lost(version) from error

    def delete(self, name: str, version: int | None = None) -> None:
        """Remove a dataset with all its versions, or one version, and the objects that no other version needs. Raises
        Conflict while a repair or a split of it is under way, and for a version that another one was made from."""
        with UnitOfWork(self._engine) as tx:
            if live := changes.live_of(tx.connection, name):
                message = f"{name[:200]} is being repaired or divided: {', '.join(live[:10])}"
                raise Conflict(message, f"wait, or cancel: POST /api/datasets/changes/{live[0]}/cancel")
            if version is None:
                digests = removal_repository.delete_dataset(tx.connection, name)
            else:
                _refuse_children(name, version, removal_repository.children(tx.connection, name, version))
                digests = removal_repository.delete_version(tx.connection, name, version)
        if digests is None:
            raise _unknown(name, version)
        release(self._store, self._engine, digests)


def _refuse_children(name: str, version: int, children: Sequence[int]) -> None:
    if children:
        named = ", ".join(f"{name[:200]}@{number}" for number in children[:10])
        raise Conflict(f"{name[:200]}@{version} is what {named} was made from", "delete that first, or all of them")


def _unknown(name: str, version: int | None) -> NotFound:
    what = f"no dataset is named {name[:200]!r}" if version is None else f"{name[:200]!r} has no version {version}"
    return NotFound(what, "see what is installed: kargah dataset list")


def _position(cursor: str) -> ListPosition:
    created_at, last_id = decode_cursor(cursor, str, str)
    try:
        moment = datetime.fromisoformat(str(created_at)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise bad_cursor() from error
    return ListPosition(moment, str(last_id))


def _place(cursor: str) -> tuple[int, int]:
    version, row = decode_cursor(cursor, int, int)
    if not isinstance(version, int) or not isinstance(row, int) or version < 1 or row < 0:
        raise bad_cursor()
    return version, row
