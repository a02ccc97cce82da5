"""A file for each split of a version: what the Hub's clients load by ranges, so it must lie there as it is."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from dataset_svc.checks.streams import Digest, LinesStream
from dataset_svc.datasets import repository, split_files_repository
from dataset_svc.datasets.objects import STAGING, holds, object_key
from dataset_svc.datasets.pages import LONGEST_STORED_ROW
from dataset_svc.datasets.values import NewVersion
from dataset_svc.readers.lines import lines
from kargah.contracts.datasets import VersionSplits
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import DomainError, Unavailable
from kargah.domain.ids import new_id
from kargah.ports.object_store import ObjectMissing, ObjectStore, StoreUnavailable
from kargah.telemetry.logging import get_logger

_BUFFER = 1 << 20
_PART = 8 << 20
_log = get_logger(__name__)
Objects = Mapping[str, Digest]
"""What a version consists of, by the keys at which it lies."""
Staged = dict[str, tuple[str, Digest]]
"""By split: where its rows lie for now."""


@contextmanager
def with_files(store: ObjectStore, new: NewVersion, objects: Objects) -> Iterator[tuple[NewVersion, dict[str, Digest]]]:
    """The version and its objects, with a staged file for each of its splits; these go when the block is left. As they
    are, without splits. Raises StoreUnavailable, ObjectMissing."""
    if new.splits is None:
        yield new, dict(objects)
        return
    keys = {digest.sha256: key for key, digest in objects.items()}
    staged: Staged = {}
    try:
        _write(store, keys[new.sha256], keys[new.splits.sha256], new.splits, staged)
        named = new.splits.model_copy(update={"files": {split: found.sha256 for split, (_, found) in staged.items()}})
        yield replace(new, splits=named), {**objects, **dict(staged.values())}
    finally:
        _drop(store, [key for key, _ in staged.values()])


def make_missing(store: ObjectStore, engine: Engine) -> int:
    """Give versions of older releases the files of their splits; how many versions got some. Raises Unavailable."""
    with UnitOfWork(engine) as tx:
        without = split_files_repository.without_files(tx.connection)
    return sum(_make(store, engine, version_id, rows, splits) for version_id, rows, splits in without)


def _make(store: ObjectStore, engine: Engine, version_id: str, rows: str, splits: VersionSplits) -> bool:
    staged: Staged = {}
    try:
        _write(store, object_key(rows), object_key(splits.sha256), splits, staged)
        files = {split: digest.sha256 for split, (_, digest) in staged.items()}
        with UnitOfWork(engine) as tx:
            repository.lock_objects(tx.connection, list(files.values()))
            for key, digest in staged.values():
                if not holds(store, digest.sha256, digest.size):
                    store.copy(key, object_key(digest.sha256))
            return split_files_repository.set_files(tx.connection, version_id, files)
    except (ObjectMissing, DomainError) as error:  # of one version, which may have been deleted meanwhile
        _log.warning("the files of a version's splits could not be made", version=version_id, error=str(error))
        return False
    finally:
        _drop(store, [key for key, _ in staged.values()])


def _write(store: ObjectStore, rows: str, places: str, splits: VersionSplits, staged: Staged) -> None:
    """Of the rows at key `rows`, a staged object for each split that has any: one reading of all rows for each."""
    place_of_row = store.get(places)
    folder = f"{STAGING}{new_id('files')}"
    for place in sorted(set(place_of_row)):
        key, digest = f"{folder}/{splits.names[place]}", Digest()
        with store.open(rows) as stream:
            chosen = LinesStream(_rows_of(lines(stream, 0, LONGEST_STORED_ROW), place_of_row, place), digest)
            store.put_stream(key, io.BufferedReader(chosen, _BUFFER), part_size=_PART)
        staged[splits.names[place]] = (key, digest)


def _rows_of(found: Iterator[tuple[int, int, bytes | None]], place_of_row: bytes, place: int) -> Iterator[bytes]:
    for (number, _, data), own in zip(found, place_of_row, strict=True):
        if own != place:
            continue
        if data is None:
            raise Unavailable(f"row {number} is too long")
        yield data + b"\n"


def _drop(store: ObjectStore, keys: list[str]) -> None:
    """Where that fails the janitor will."""
    for key in keys:
        try:
            store.delete(key)
        except StoreUnavailable as error:
            _log.warning("a staged object is left to the janitor", key=key, error=str(error))
