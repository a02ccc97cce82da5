"""From an uploaded stream to a version: staged, checked while it is read back, recorded, or nothing left behind."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import BinaryIO, cast

from dataset_svc.checks.checked_rows import CheckedRows
from dataset_svc.checks.mapping import parse_mapping
from dataset_svc.checks.streams import Digest, HashedStream, bounded
from dataset_svc.datasets import repository
from dataset_svc.datasets.object_file import ObjectFile
from dataset_svc.datasets.objects import STAGING, holds, object_key, release
from dataset_svc.datasets.row_store import store_rows, store_unlike
from dataset_svc.datasets.turns import Turns, is_large
from dataset_svc.datasets.values import NewVersion
from dataset_svc.memory import give_back
from dataset_svc.readers.source import open_source
from dataset_svc.splits.files import with_files
from dataset_svc.splits.given import Given, given_splits
from kargah.contracts.datasets import DatasetVersionView, Lineage
from kargah.db.engine import Engine
from kargah.db.storage_quota import StorageQuota, no_quota
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import DomainError, FieldError, Invalid, Unavailable
from kargah.domain.ids import new_id
from kargah.domain.names import can_name_dataset
from kargah.formats.registry import format_named
from kargah.ports.object_store import ObjectStore, StoreUnavailable
from kargah.telemetry.logging import get_logger

_LONGEST_FILENAME = 200
_BUFFER = 1 << 20
_PART = 8 << 20  # of which the store's client holds a few
_TRIES = 5
_log = get_logger(__name__)

OnRecorded = Callable[[UnitOfWork, DatasetVersionView, bool], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of a file as sent, and of what a packed one holds."""

    upload_bytes: int
    unpacked_bytes: int


@dataclass(frozen=True, slots=True)
class Request:
    """What the uploader asks for beside the file. `format` None: recognised; `mapping`: `field:column,...`; `origin`: a
    JSON object."""

    name: str
    filename: str | None = None
    format: str | None = None
    mapping: str | None = None
    origin: str | None = None

    def lineage(self) -> Lineage | None:
        """Where the rows come from, where the uploader tells it. Raises Invalid unless `origin` is a JSON object."""
        if self.origin is None:
            return None
        try:
            return Lineage(imported_from=json.loads(self.origin))
        except (ValueError, RecursionError) as error:
            message = "not a JSON object"
            raise Invalid(message, errors=[FieldError("origin", message, "bad_origin")]) from error

    def check(self) -> None:
        """Raises Invalid for a name, format, mapping or origin that cannot be, whatever the file holds."""
        self.lineage()
        if not can_name_dataset(self.name):
            message = "a name is made of letters, digits, . _ - and may have an owner: owner/name"
            raise Invalid(f"{self.name[:100]!r} cannot name a dataset", message, [FieldError("name", message)])
        if self.format is not None:
            format_named(self.format)
        parse_mapping(self.mapping, self.format)


@dataclass(frozen=True, slots=True)
class Unread:
    """Of a file that did not pass through here: its size, its sha256 where the sender told it, and who hears of the
    bytes read."""

    size: int
    sha256: str | None
    on_bytes: Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Staged:
    """A file that arrived whole: its key under `staging/`, size and sha256; the latter two are taken while it is
    checked where it is still `unread`."""

    key: str
    digest: Digest
    unread: Unread | None = None

    @property
    def size(self) -> int:
        """In bytes."""
        return self.digest.size if self.unread is None else self.unread.size


class Uploads:
    """Receives files. Safe for any number of threads; memory per upload is bounded, whatever the file's size."""

    def __init__(
        self,
        store: ObjectStore,
        engine: Engine,
        limits: Limits,
        turns: Turns | None = None,
        quota: StorageQuota | None = None,
    ) -> None:
        self._store = store
        self._engine = engine
        self._limits = limits
        self._quota = quota or no_quota()
        self.turns = turns or Turns(at_once=2, waiting=8)

    def expect(self, size: int | None) -> None:
        """Before a file is received. Raises OverQuota where its size is known, and there is no room for it."""
        if size is not None:
            with UnitOfWork(self._engine) as tx:
                self._quota.expect(tx.connection, size)

    @contextmanager
    def staged(self, stream: BinaryIO, expected: int | None = None) -> Iterator[Staged]:
        """The stream, stored to its end; removed when the block is left.

        Raises TooLarge, BadRequest when it has not the `expected` size, StoreUnavailable, and what reading raises.
        """
        key, digest = f"{STAGING}{new_id('upload')}/source", Digest()
        try:
            hashed = HashedStream(stream, digest, self._limits.upload_bytes, expected)
            self._store.put_stream(key, io.BufferedReader(hashed, _BUFFER), part_size=_PART)
            yield Staged(key, digest)
        finally:
            self.drop(key)

    def add(
        self, staged: Staged, request: Request, on_recorded: OnRecorded | None = None
    ) -> tuple[DatasetVersionView, bool]:
        """Check the file and record it; whether the version is new. Raises Invalid with the first 20 problems.

        `on_recorded` is called within the transaction that records it, and what it raises undoes that.
        """
        request.check()
        with self.turns.turn(large=is_large(staged.size)):
            try:
                return self._add(staged, request, on_recorded)
            finally:
                give_back()

    def _add(self, staged: Staged, request: Request, on_recorded: OnRecorded | None) -> tuple[DatasetVersionView, bool]:
        rows_key = f"{staged.key}.rows-{new_id('rows')}"
        objects = {staged.key: staged.digest}
        try:
            checked, rows, stored = self._check(staged, request, rows_key)
            if stored:
                objects[rows_key] = rows
            given = given_splits(
                self._store, rows_key if stored else staged.key, checked.format, checked.statistics.view()
            )
            if given.places is not None:
                splits_key = f"{rows_key}.splits"
                objects[splits_key] = given.digest
                self._store.put(splits_key, given.places)
            return self.record(_new_version(request, staged, rows, checked, given), objects, on_recorded)
        finally:
            for key in (objects.keys() | {rows_key}) - {staged.key}:
                self.drop(key)

    def _check(self, staged: Staged, request: Request, rows_key: str) -> tuple[CheckedRows, Digest, bool]:
        """The rows' description and digest, and whether they lie at `rows_key`: else they are the file itself."""
        with self._store.open(staged.key) as raw, first_reading(raw, staged) as stream:
            whole = cast(BinaryIO, ObjectFile(self._store, staged.key))
            source = open_source(stream, request.filename or "", self._limits.unpacked_bytes, whole)
            mapping = parse_mapping(request.mapping, request.format)
            checked = CheckedRows(source.reader(source.stream, source.start), request.format, mapping)
            small_bomb = source.grows and not is_large(staged.size)  # a large file has had its turn from the first
            # Who reads ahead must be done before the stream goes, whatever happens.
            with self.turns.turn(large=small_bomb), closing(checked.lines()) as found:
                lines = bounded(found, self._limits.unpacked_bytes)
                if source.packed:
                    return checked, store_rows(self._store, rows_key, lines), True
                return checked, *store_unlike(self._store, rows_key, staged.key, staged.digest, checked, lines)

    def record(
        self, new: NewVersion, objects: dict[str, Digest], on_recorded: OnRecorded | None = None
    ) -> tuple[DatasetVersionView, bool]:
        """Make the version of `objects`, which lie at these keys and are taken over from there; whether it is new.
        Where it has splits, a file for each of them is made on the way."""
        with with_files(self._store, new, objects) as (whole, needed):
            return self._record(whole, needed, on_recorded)

    def _record(
        self, new: NewVersion, objects: dict[str, Digest], on_recorded: OnRecorded | None
    ) -> tuple[DatasetVersionView, bool]:
        digests = [digest.sha256 for digest in objects.values()]
        recorded = None
        try:
            for _ in range(_TRIES):
                self._promote(objects)
                if (recorded := self._insert(new, objects, on_recorded)) is not None:
                    return recorded
            raise Unavailable("the object store does not keep what is stored in it", "try again in a moment")
        finally:
            # A version that was there already has a source of its own, so this one's may be needed by nobody.
            if recorded is None or not recorded[1]:
                self._release(digests)

    def _insert(
        self, new: NewVersion, objects: dict[str, Digest], on_recorded: OnRecorded | None
    ) -> tuple[DatasetVersionView, bool] | None:
        """None when a deletion of the same content took an object meanwhile: then it must be stored again."""
        with UnitOfWork(self._engine) as tx, self._quota.kept(tx.connection):
            repository.lock_objects(tx.connection, [digest.sha256 for digest in objects.values()])
            if all(holds(self._store, digest.sha256, digest.size) for digest in objects.values()):
                recorded = repository.insert_version(tx.connection, new)
                if on_recorded is not None:
                    on_recorded(tx, *recorded)
                return recorded
        return None

    def _promote(self, objects: dict[str, Digest]) -> None:
        for key, digest in objects.items():
            if not holds(self._store, digest.sha256, digest.size):
                self._store.copy(key, object_key(digest.sha256))

    def _release(self, digests: list[str]) -> None:
        try:
            release(self._store, self._engine, digests)
        except DomainError as error:
            _log.warning("objects of an upload are left to the janitor", error=str(error))

    def drop(self, key: str) -> None:
        """Remove a staged object; where that fails the janitor will."""
        try:
            self._store.delete(key)
        except StoreUnavailable as error:
            _log.warning("a staged object is left to the janitor", key=key, error=str(error))


def _new_version(request: Request, staged: Staged, rows: Digest, checked: CheckedRows, given: Given) -> NewVersion:
    return NewVersion(
        name=request.name,
        format=checked.format.name,
        sha256=rows.sha256,
        source_sha256=staged.digest.sha256,
        source_filename=label(request.filename),
        stats=checked.statistics.view().model_copy(update={"splits": given.stats}),
        warnings=given.warnings + checked.warnings.view(checked.statistics),
        index=checked.index,
        lineage=request.lineage(),
        splits=given.described(),
    )


@contextmanager
def first_reading(raw: BinaryIO, staged: Staged) -> Iterator[BinaryIO]:
    """The file's bytes, hashed to the end where that was not done before. Raises Invalid at the end of the block for
    another sha256 than the sender's: before what is wrong with the rows, which are then not the sender's either."""
    unread = staged.unread
    if unread is None:
        yield raw
        return
    hashed = HashedStream(raw, staged.digest, unread.size, unread.size, unread.on_bytes)
    stream = cast(BinaryIO, io.BufferedReader(hashed, _BUFFER))
    try:
        yield stream
    except Invalid:
        if unread.sha256 is not None:
            _compare(stream, staged.digest, unread.sha256)
        raise
    _compare(stream, staged.digest, unread.sha256)


def _compare(stream: BinaryIO, digest: Digest, expected: str | None) -> None:
    while stream.read(_BUFFER):
        pass
    if expected is not None and digest.sha256 != expected:
        message = f"what arrived has the sha256 {digest.sha256}, and the file sent has {expected}"
        raise Invalid(message, "upload it again; nothing was kept", [FieldError("sha256", message, "checksum")])


def label(filename: str | None) -> str:
    """What is kept of the uploader's file name: no folders, nothing unprintable, at most 200 characters."""
    last = (filename or "").replace("\\", "/").rpartition("/")[2]
    return "".join(character for character in last if character.isprintable())[:_LONGEST_FILENAME] or "upload"
