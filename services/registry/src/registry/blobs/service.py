"""Blobs: put, ask, collect. The bytes are in the object store, what is known of them in the database."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, cast

from kargah.db.engine import Connection, Engine
from kargah.db.storage_quota import StorageQuota, no_quota
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import FieldError, Invalid, Unavailable
from kargah.domain.scope import EVERY, current_project
from kargah.ports.object_store import MultipartStore, ObjectMissing
from kargah.telemetry.logging import get_logger
from registry.blobs import possession_repository, repository
from registry.blobs.pieces import Piece, buffered, can_be_parts, content_of
from registry.blobs.possession_repository import BLOB
from registry.blobs.read_ahead import read_ahead
from registry.blobs.repository import BlobRow
from registry.blobs.verified_stream import VerifiedStream

PREFIX = "blobs/"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PARALLEL_CALLS = 8
_PARALLEL_COPIES = 3
_log = get_logger(__name__)


class BlobService:
    """Safe to share between threads. Every call may raise Unavailable."""

    def __init__(
        self, engine: Engine, store: MultipartStore, grace: timedelta, quota: StorageQuota | None = None
    ) -> None:
        self._engine = engine
        self._store = store
        self._grace = grace
        self._quota = quota or no_quota()

    def expect(self, sha256: str, size: int | None) -> None:
        """Before a blob is received. Raises OverQuota where its size is known, the project has none of it, and there is
        no room for it."""
        if size is None or self.size(sha256) is not None:
            return
        with UnitOfWork(self._engine) as tx:
            self._quota.expect(tx.connection, size)

    def kept(self, connection: Connection) -> AbstractContextManager[None]:
        """Around what names blobs in a version or a commit. Raises OverQuota at the end of the block."""
        return self._quota.kept(connection)

    def put(self, sha256: str, source: BinaryIO) -> tuple[int, bool]:
        """Keep `source` under `sha256`; its size, and whether it is new to the project.

        The store makes an object visible when its stream has ended well, which a wrong one does not: what can be
        seen is verified. A blob that is there already is only compared. Raises Invalid for another sha256.
        """
        check_sha256(sha256)
        stream = VerifiedStream(source, sha256)
        known = self.size(sha256) is not None
        if known or (current_project() != EVERY and self._present(sha256) is not None):
            stream.drain()
        else:
            self._store_verified(sha256, stream)
        self._note([BlobRow(sha256, stream.count)], sent=True)
        return stream.count, not known

    def join(self, sha256: str, pieces: Sequence[Piece]) -> int:
        """Keep what pieces of other objects make, in their order; its size. They are copied inside the store while they
        are read for their hash. Raises Invalid for another sha256, ObjectMissing."""
        check_sha256(sha256)
        with buffered(content_of(self._store, pieces)) as content:
            if not can_be_parts(pieces) or self._present(sha256) is not None:
                return self.put(sha256, content)[0]
            stream = VerifiedStream(content, sha256)
            self._copy_verified(PREFIX + sha256, stream, pieces)
        self._note([BlobRow(sha256, stream.count)], sent=True)
        return stream.count

    def size(self, sha256: str) -> int | None:
        """Its size in bytes, or None if the project has none of it (or it is being removed). Asking renews its
        grace."""
        check_sha256(sha256)
        return self._present(sha256) if self._held([sha256]) else None

    def _held(self, digests: Collection[str]) -> set[str]:
        """Those that the project has: where nobody logs in, all."""
        if current_project() == EVERY:
            return set(digests)
        with UnitOfWork(self._engine) as tx:
            return possession_repository.held(tx.connection, digests)

    def _present(self, sha256: str) -> int | None:
        """Its size, whoever sent it."""
        with UnitOfWork(self._engine) as tx:
            leaving = repository.touch_known(tx.connection, sha256)
        if leaving:
            return None
        size = self._stored_size(sha256)
        if size is None or leaving is not None:
            return size
        # Stored by a process that died before it could note it: noted now, unless a sweep was faster.
        self._note([BlobRow(sha256, size)])
        return self._stored_size(sha256)

    def claim(self, rows: Iterable[BlobRow]) -> dict[str, int | None]:
        """Protect these blobs for the length of the grace; the size that each has in the store, None if absent, or
        none of the project's."""
        unique = {row.sha256: row for row in rows}
        held = self._held(unique)
        self._note([row for row in unique.values() if row.sha256 in held])
        with ThreadPoolExecutor(_PARALLEL_CALLS, thread_name_prefix="blob-stat") as pool:
            sizes = dict(zip(held, pool.map(self._stored_size, held), strict=True))
        return {sha256: sizes.get(sha256) for sha256 in unique}

    def note_mirrored(self, sha256: str) -> None:
        """It came from the upstream, which tells its commits to every project."""
        with UnitOfWork(self._engine) as tx:
            possession_repository.note_mirrored(tx.connection, sha256)

    def collect(self) -> int:
        """Remove blobs that nothing names and nobody wanted for the length of the grace; how many."""
        self._note_strays()
        with UnitOfWork(self._engine) as tx:
            leaving = repository.begin_collecting(tx.connection, self._grace)
        for sha256 in leaving:
            self._store.delete(PREFIX + sha256)
        with UnitOfWork(self._engine) as tx:
            repository.end_collecting(tx.connection, leaving)
        if leaving:
            _log.info("blobs collected", count=len(leaving))
        return len(leaving)

    def _note_strays(self) -> None:
        """Objects that were stored by processes that died before they could note them: they go as others do."""
        oldest = datetime.now(UTC) - self._grace
        old = {
            found.key.removeprefix(PREFIX): found for found in self._store.list(PREFIX) if found.modified_at < oldest
        }
        with UnitOfWork(self._engine) as tx:
            repository.note_strays(tx.connection, {name: one for name, one in old.items() if _SHA256.fullmatch(name)})

    def _copy_verified(self, key: str, stream: VerifiedStream, pieces: Sequence[Piece]) -> None:
        upload_id = self._store.begin_multipart(key)

        def copy(number: int) -> None:
            piece = pieces[number - 1]
            self._store.copy_part(key, upload_id, number, piece.key, piece.offset, piece.length)

        try:
            with ThreadPoolExecutor(_PARALLEL_COPIES, thread_name_prefix="copy") as pool:
                copies = pool.map(copy, range(1, len(pieces) + 1))
                stream.drain()
                for _ in copies:
                    pass
            self._store.finish_multipart(key, upload_id, self._store.parts(key, upload_id))
        except BaseException:
            self._store.abort_multipart(key, upload_id)
            raise

    def _store_verified(self, sha256: str, stream: VerifiedStream) -> None:
        with read_ahead(cast(BinaryIO, stream)) as ahead:
            self._store.put_stream(PREFIX + sha256, ahead)
        if not stream.verified:
            self._store.delete(PREFIX + sha256)
            raise Unavailable("The object store ended the upload before its end.")

    def _note(self, rows: list[BlobRow], *, sent: bool = False) -> None:
        """They are wanted; `sent`: and their bytes came from the project at hand. Raises OverQuota for these."""
        with UnitOfWork(self._engine) as tx, self._quota.kept(tx.connection) if sent else nullcontext():
            leaving = repository.touch(tx.connection, rows)
            if leaving:
                raise Unavailable("A blob of these is being removed at this moment.", hint="Try again in a moment.")
            if sent:
                possession_repository.hold(tx.connection, BLOB, [row.sha256 for row in rows])

    def _stored_size(self, sha256: str) -> int | None:
        try:
            return self._store.stat(PREFIX + sha256).size
        except ObjectMissing:
            return None


def check_sha256(sha256: str) -> None:
    """Raises Invalid unless it is 64 lower-case hexadecimal digits."""
    if not _SHA256.fullmatch(sha256):
        message = "Must be 64 lower-case hexadecimal digits."
        raise Invalid("The path is not acceptable.", errors=[FieldError("sha256", message, "bad_hash")])
