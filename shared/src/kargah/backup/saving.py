"""Make a backup: most objects first, then the database in one snapshot, then what the snapshot names beyond that.

Objects are immutable; but rows and their objects may be deleted meanwhile. So the snapshot is taken when almost all is
saved, and taken again when something that it names went away before it could be saved. Nothing needs to stand still.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO

import psycopg

from kargah import __version__
from kargah.backup.database import Rows, chunks, connected, dumped
from kargah.backup.documents import Contents, Piece, SavedObject, Summary
from kargah.backup.errors import BackupError, Damaged
from kargah.backup.locks import locked
from kargah.backup.names import Names, counts_in, names_in
from kargah.backup.place import Place
from kargah.backup.progress import Progress
from kargah.backup.resolving import Resolver, stored
from kargah.backup.vault import Vault
from kargah.ports.object_store import ObjectMissing, StoreUnavailable

_AT_ONCE = 4
_READ = 1 << 20
_TRIES = 3


@dataclass
class _Dump:
    """The database as of one moment."""

    names: Names
    pieces: list[Piece]
    counts: dict[str, int]
    postgres: str
    taken_at: datetime


@dataclass
class Saving:
    """One backup. `have`: sha256 -> size of what the vault holds."""

    place: Place
    vault: Vault
    progress: Progress
    have: dict[str, int] = field(default_factory=dict)
    added: int = 0
    added_bytes: int = 0
    absent: set[str] = field(default_factory=set)

    def run(self) -> Summary:
        """Save everything. Raises BackupError; earlier backups are as they were then."""
        began = time.monotonic()
        try:
            with locked(self.vault, "backup"):
                return self._run(began)
        except StoreUnavailable as error:
            raise BackupError(f"The object store does not answer: {error}") from error
        except (psycopg.errors.UndefinedColumn, psycopg.errors.UndefinedTable) as error:
            raise BackupError(
                f"The tables are of another release than this program ({error}): back up with the release that runs, "
                "or bring them up to date first (`kargah up`, `kargah database`)."
            ) from error
        except psycopg.Error as error:
            raise BackupError(f"Postgres refused: {error}") from error

    def _run(self, began: float) -> Summary:
        self.have = self.vault.sizes()
        newest = self.vault.newest()
        known = {one.key: one for one in self.vault.contents(newest).objects} if newest else {}
        with connected(self.place, frozen=True) as connection:
            early = names_in(connection)
        known |= {one.key: one for one in self._save_objects(early, known)[0]}
        for _try in range(_TRIES):
            dump = self._dump()
            objects, missing = self._save_objects(dump.names, known)
            if missing <= self._still_named(missing):
                break
        self._require_whole([*objects, *dump.pieces])
        return self._write(dump, objects, missing, began)

    def _save_objects(self, names: Names, known: dict[str, SavedObject]) -> tuple[list[SavedObject], set[str]]:
        """Those that are saved, and the keys of those that are not there to be saved."""
        resolver = Resolver(self.place.store, stored(self.place.store), known, self.have)
        objects = resolver.resolve(names)
        lost = self._copy(objects)
        self.absent = resolver.absent
        return [one for one in objects if one.key not in lost], resolver.missing | lost

    def _copy(self, objects: Iterable[SavedObject]) -> set[str]:
        ahead = {one.sha256: one for one in objects if self.have.get(one.sha256) != one.size}
        self.progress.begin("objects", len(ahead), sum(one.size for one in ahead.values()))
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="save") as pool:
            lost = {key for key in pool.map(self._copy_one, ahead.values()) if key is not None}
        for one in ahead.values():
            if one.key not in lost:
                self._note(one)
        gone = {one.sha256 for one in ahead.values() if one.key in lost}
        return {one.key for one in objects if one.sha256 in gone}

    def _copy_one(self, one: SavedObject) -> str | None:
        """Its key, when it is gone, or has other bytes than its name or its manifest says."""
        try:
            with self.place.store.open(one.key) as stream:
                self.vault.put(one, self._told(stream))
        except (ObjectMissing, Damaged):
            return one.key
        return None

    def _told(self, stream: BinaryIO) -> Iterator[bytes]:
        while data := stream.read(_READ):
            self.progress.advance(len(data))
            yield data

    def _dump(self) -> _Dump:
        with connected(self.place, frozen=True) as connection:
            taken_at = datetime.now(UTC)
            names, counts = names_in(connection), dict(counts_in(connection))
            pieces = [self._save_piece(content) for content in self._dumped(connection)]
            version = str(connection.info.server_version // 10000)
        return _Dump(names, pieces, counts, version, taken_at)

    def _dumped(self, connection: Rows) -> Iterator[bytes]:
        self.progress.begin("database", 0, 0)
        return chunks(dumped(self.place, connection))

    def _save_piece(self, content: bytes) -> Piece:
        piece = Piece(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
        if self.have.get(piece.sha256) != piece.size:
            self.vault.put(piece, [content])
            self._note(piece)
        self.progress.advance(piece.size)
        return piece

    def _note(self, piece: Piece) -> None:
        self.have[piece.sha256] = piece.size
        self.added += 1
        self.added_bytes += piece.size

    def _still_named(self, keys: set[str]) -> set[str]:
        """Those whose rows are still there: they were lost rather than deleted meanwhile."""
        if not keys:
            return set()
        with connected(self.place, frozen=True) as connection:
            now = names_in(connection)
        return set(filter(now.need, keys))

    def _require_whole(self, pieces: Sequence[Piece]) -> None:
        there = self.vault.sizes()
        torn = {piece.sha256 for piece in pieces if there.get(piece.sha256) != piece.size}
        if torn:
            raise Damaged(f"{len(torn)} files that were saved are not whole at {self.vault.target}: run it again.")

    def _write(self, dump: _Dump, objects: list[SavedObject], missing: set[str], began: float) -> Summary:
        contents = Contents(objects=objects, database=dump.pieces)
        absent = self._still_named(self.absent)

        def summary(contents_sha256: str) -> Summary:
            return Summary(
                id=f"{dump.taken_at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}",
                created_at=dump.taken_at,
                kargah=__version__,
                postgres=dump.postgres,
                contents_sha256=contents_sha256,
                objects=len(objects),
                objects_bytes=sum(one.size for one in objects),
                database_bytes=sum(piece.size for piece in dump.pieces),
                added=self.added,
                added_bytes=self.added_bytes,
                counts=dump.counts,
                missing=sorted(missing),
                absent=sorted(absent),
                seconds=round(time.monotonic() - began, 2),
            )

        return self.vault.write(contents, summary)
