"""Bring a backup back: the objects first, each compared with its sha256; the database last, in one transaction.

Killed at any instant it leaves the database as it was, and can be run again: what is there already is not fetched anew.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO, cast

import psycopg

from kargah.adapters.minio_store import MinioStore
from kargah.backup.database import clear, connected, lines_of, load
from kargah.backup.documents import Contents, SavedObject, Summary
from kargah.backup.errors import BackupError, Damaged
from kargah.backup.names import is_empty, names_in
from kargah.backup.place import Place
from kargah.backup.progress import Progress
from kargah.backup.settle import settle
from kargah.backup.vault import Vault
from kargah.embedded.postgres_roles import grant_tables
from kargah.embedded.topology import OWNERS
from kargah.ports.object_store import ObjectStat, StoreUnavailable

_AT_ONCE = 4
_READ = 1 << 20


@dataclass(frozen=True)
class Restored:
    """`settled`: how many rows were told that their past is over, by kind; `written`: objects that were not there."""

    backup: Summary
    written: int
    written_bytes: int
    settled: Mapping[str, int]


@dataclass(frozen=True)
class Restoring:
    """One restore of `backup`. With `replace` whatever is in the database goes; with `allow_missing` a
    backup counts that lacks objects. With `objects_only` the database stays as it is: what its
    rows name and the store lost, or has otherwise than its name says, comes back."""

    vault: Vault
    backup: Summary
    progress: Progress
    replace: bool = False
    allow_missing: bool = False
    objects_only: bool = False

    def require_possible(self, place: Place) -> None:
        """Raises BackupError where the backup or the place does not allow it; nothing was touched then."""
        self._require_whole(self.vault.contents(self.backup))
        if not self.objects_only:
            self._require_room(place)

    def run(self, place: Place) -> Restored:
        """Raises BackupError; the database is as it was then."""
        self.require_possible(place)
        contents = self.vault.contents(self.backup)
        objects = self._named_now(place, contents) if self.objects_only else contents.objects
        try:
            written = self._objects(place.store, objects)
        except StoreUnavailable as error:
            raise BackupError(f"The object store does not answer: {error}") from error
        settled = {} if self.objects_only else self._database(place, contents)
        return Restored(self.backup, len(written), sum(one.size for one in written), settled)

    def _require_whole(self, contents: Contents) -> None:
        """Before anything is touched."""
        if self.backup.missing and not self.allow_missing:
            raise BackupError(
                f"The backup {self.backup.id} lacks {_told(self.backup.missing)}, which the store had lost before. "
                "Choose another with --snapshot, or restore without them: --allow-missing."
            )
        there = self.vault.sizes()
        torn = [one.key for one in contents.objects if there.get(one.sha256) != one.size]
        torn += ["the database" for piece in contents.database if there.get(piece.sha256) != piece.size]
        if torn:
            raise Damaged(
                f"The backup {self.backup.id} is damaged: {_told(torn)} not whole at {self.vault.target}. "
                "`kargah backup check` lists all damage; choose another backup with --snapshot."
            )

    def _require_room(self, place: Place) -> None:
        with connected(place) as connection:
            there = {str(row[0]) for row in connection.execute("SELECT rolname FROM pg_roles").fetchall()}
            if not there.issuperset(OWNERS):
                raise BackupError("The roles of the services are not there: run `kargah database` first.")
            if not self.replace and not is_empty(connection):
                raise BackupError(
                    "There are jobs, datasets or models already. --replace removes them for what the backup holds."
                )

    def _named_now(self, place: Place, contents: Contents) -> list[SavedObject]:
        with connected(place, frozen=True) as connection:
            names = names_in(connection)
        return [one for one in contents.objects if names.need(one.key)]

    def _objects(self, store: MinioStore, objects: list[SavedObject]) -> list[SavedObject]:
        store.ensure_bucket()
        there = {found.key: found for found in store.list("")}
        self.progress.begin("objects", len(objects), sum(one.size for one in objects))
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="restore") as pool:
            done = pool.map(lambda one: self._object(store, one, there.get(one.key)), objects)
            return [one for one, is_new in zip(objects, done, strict=True) if is_new]

    def _object(self, store: MinioStore, one: SavedObject, found: ObjectStat | None) -> bool:
        """Whether it had to be written."""
        if found is not None and self._is_right(store, one, found):
            self.progress.advance(one.size)
            return False
        try:
            with self.vault.open(one) as content:
                store.put_stream(one.key, cast(BinaryIO, _Reading(self._counted(content))))
        except Damaged as error:
            raise Damaged(
                f"{one.key} is damaged in the backup: {error}. The database was not touched. `kargah backup check` "
                "lists all damage; choose another backup with --snapshot."
            ) from error
        return True

    def _is_right(self, store: MinioStore, one: SavedObject, found: ObjectStat) -> bool:
        if self.objects_only and one.key.startswith("jobs/"):
            return True
        return found.size == one.size and _digest(store, one.key) == one.sha256

    def _counted(self, content: Iterator[bytes]) -> Iterator[bytes]:
        for data in content:
            self.progress.advance(len(data))
            yield data

    def _database(self, place: Place, contents: Contents) -> Mapping[str, int]:
        self.progress.begin("database", len(contents.database), sum(piece.size for piece in contents.database))
        try:
            with connected(place) as connection:
                connection.execute("SET LOCAL lock_timeout = '30s'")
                clear(connection)
                load(connection, lines_of(self._pieces(contents)))
                settled = settle(connection)
            grant_tables(place.superuser_url, place.database, role="worker", schema="gateway")
        except psycopg.Error as error:
            raise BackupError(f"Postgres refused; the database is as it was: {error}") from error
        return settled

    def _pieces(self, contents: Contents) -> Iterator[bytes]:
        for piece in contents.database:
            try:
                content = self.vault.get(piece)
            except Damaged as error:
                raise Damaged(f"The saved database is damaged: {error}. Nothing was changed in yours.") from error
            self.progress.advance(piece.size)
            yield content


class _Reading(io.RawIOBase):
    """An iterator of bytes as a file. What the iterator raises comes through, and the store keeps nothing then."""

    def __init__(self, content: Iterator[bytes]) -> None:
        super().__init__()
        self._content = content
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        found = [self._rest]
        length = len(self._rest)
        while size < 0 or length < size:
            data = next(self._content, None)
            if data is None:
                break
            found.append(data)
            length += len(data)
        whole = b"".join(found)
        cut = len(whole) if size < 0 else size
        self._rest = whole[cut:]
        return whole[:cut]


def _digest(store: MinioStore, key: str) -> str:
    digest = hashlib.sha256()
    with store.open(key) as stream:
        while data := stream.read(_READ):
            digest.update(data)
    return digest.hexdigest()


def _told(keys: list[str]) -> str:
    shown = ", ".join(keys[:3])
    return f"{shown} and {len(keys) - 3} more objects" if len(keys) > 3 else shown
