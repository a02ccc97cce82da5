"""Files from the upstream into the store: one fetch of each, in whatever process; it goes on from what came before.

Bytes are kept in parts as they come, which waiting clients read; the last part is kept only once the whole has the
hash that the commit announced. Then the parts become a blob like any other.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, cast

from kargah.access.principal import Principal, principal_scope
from kargah.access.roles import Role
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import DomainError, Unavailable
from kargah.domain.scope import EVERY, current_project, project_scope
from kargah.ports.object_store import ObjectMissing, ObjectStore
from kargah.telemetry.logging import get_logger
from kargah.web.shutdown import stopping
from registry.blobs.pieces import Piece, buffered, content_of
from registry.blobs.service import BlobService
from registry.mirror import fetch_repository, repository
from registry.mirror.errors import UpstreamAway, WrongBytes
from registry.mirror.fetch_repository import PREFIX
from registry.mirror.lease import SECONDS, KeepingStream, Lease, LeaseLost
from registry.mirror.upstream_hub import UpstreamHub
from registry.mirror.values import Digest, Wanted

_PART_BYTES = 16 << 20
_PART_SECONDS = 3.0
_CHUNK = 1 << 20
_AT_ONCE = 8
_CLOSE_SECONDS = 10.0
_PAUSES = (0.2, 1.0, 3.0)
_MIRROR = Principal("service:registry", "registry", Role.SERVICE, EVERY)  # what comes is no project's own, nor counted
_log = get_logger(__name__)


class Fetcher:
    """Safe to share between threads. `news` is notified whenever something came or ended in this process."""

    def __init__(self, engine: Engine, store: ObjectStore, blobs: BlobService, upstream: UpstreamHub) -> None:
        self._engine = engine
        self._store = store
        self._blobs = blobs
        self._upstream = upstream
        self._slots = threading.BoundedSemaphore(_AT_ONCE)
        self._threads: set[threading.Thread] = set()
        self.news = threading.Condition()

    def start(self, wanted: Wanted) -> int | None:
        """Begin to fetch a file, in a thread; the fetch's generation. None while somebody else fetches it, or as many
        as may be are under way here. Raises Unavailable."""
        if not self._slots.acquire(blocking=False):
            return None
        try:
            with UnitOfWork(self._engine) as tx:
                length = timedelta(seconds=SECONDS)
                etag, size = wanted.etag, wanted.entry.size_bytes
                generation = fetch_repository.acquire(tx.connection, etag, size, length)
        except DomainError:
            self._slots.release()
            raise
        if generation is None:
            self._slots.release()
            return None
        lease = Lease(self._engine, self._store, wanted.etag, generation)
        args = (current_project(), wanted, lease)
        thread = threading.Thread(target=self._run, args=args, name="fetch", daemon=True)
        self._threads.add(thread)
        thread.start()
        return generation

    def close(self) -> None:
        """Wait a while for the fetches under way here, and give the upstream's connections back."""
        for thread in list(self._threads):
            thread.join(_CLOSE_SECONDS)
        self._upstream.close()

    def kept(self, wanted: Wanted) -> str | None:
        """The sha256 of the file's blob, if that is here. Raises Unavailable."""
        sha256 = wanted.entry.sha256
        if not sha256:
            with UnitOfWork(self._engine) as tx:
                sha256 = repository.find_content(tx.connection, wanted.etag) or ""
        return sha256 if sha256 and self._blobs.size(sha256) is not None else None

    def collect(self, grace: timedelta) -> int:
        """Remove what came of files that nobody went on with for `grace`; how many objects."""
        with UnitOfWork(self._engine) as tx:
            fetch_repository.forget(tx.connection, grace)
            known = fetch_repository.under_way(tx.connection)
        oldest = datetime.now(UTC) - grace
        left = [
            found.key
            for found in self._store.list(PREFIX)
            if found.modified_at < oldest and found.key.removeprefix(PREFIX).partition("/")[0] not in known
        ]
        for key in left:
            self._store.delete(key)
        return len(left)

    def _run(self, project: str, wanted: Wanted, lease: Lease) -> None:
        try:
            with project_scope(project), principal_scope(_MIRROR):
                self._fetch(wanted, lease)
        except LeaseLost:
            _log.info("another process fetches it now", repository=wanted.name, path=wanted.path)
        except DomainError as error:
            _log.warning("fetch ended", repository=wanted.name, path=wanted.path, error=error.message)
            _give_up(lease, error)
        finally:
            self._slots.release()
            self._threads.discard(threading.current_thread())
            self._tell()

    def _fetch(self, wanted: Wanted, lease: Lease) -> None:
        if self.kept(wanted) is not None:  # it came between the question and the lease
            lease.finish()
            return
        digest = self._resumed(wanted, lease)
        rest = self._keep(wanted, lease, digest)
        if not digest.right:
            lease.drop_parts()
            message = f"{wanted.path[:200]!r} of {wanted.name} came with other bytes than its commit announces."
            raise WrongBytes(message, hint="Nothing of it was kept. Try again in a minute.")
        if len(rest) == digest.count:
            self._blobs.put(digest.sha256, io.BytesIO(rest))
        else:
            if rest:
                lease.add_part(digest.count - len(rest), rest)
                self._tell()
            self._join(lease, digest.sha256)
        self._blobs.note_mirrored(digest.sha256)
        if wanted.entry.git_sha1 is not None:
            with project_scope(EVERY), UnitOfWork(self._engine) as tx:  # whoever mirrors it
                repository.note_content(tx.connection, wanted.entry.git_sha1, digest.sha256)
        lease.finish()
        _log.info("fetched", repository=wanted.name, path=wanted.path, bytes=digest.count)

    def _resumed(self, wanted: Wanted, lease: Lease) -> Digest:
        """The digest of what an earlier try left."""
        digest = Digest(wanted.entry)
        for part in lease.parts():
            try:
                with self._store.open(part.key) as stream:
                    while chunk := stream.read(_CHUNK):
                        lease.keep()
                        digest.update(chunk)
            except ObjectMissing:
                pass
            if part.end != digest.count:
                lease.drop_parts()
                return Digest(wanted.entry)
        return digest

    def _keep(self, wanted: Wanted, lease: Lease, digest: Digest) -> bytes:
        """Keep what comes, in parts; the last one is handed back, for it is not verified yet."""
        rest, begun = bytearray(), time.monotonic()
        try:
            for chunk in self._coming(wanted, digest.count):
                lease.keep()
                digest.update(chunk)
                rest += chunk
                late = time.monotonic() - begun > _PART_SECONDS
                if (late or len(rest) >= _PART_BYTES) and digest.count < wanted.entry.size_bytes:
                    lease.add_part(digest.count - len(rest), bytes(rest))
                    self._tell()
                    rest, begun = bytearray(), time.monotonic()
        except Unavailable:
            if rest and digest.count < wanted.entry.size_bytes:
                lease.add_part(digest.count - len(rest), bytes(rest))
            raise
        return bytes(rest)

    def _coming(self, wanted: Wanted, position: int) -> Iterator[bytes]:
        """The bytes from `position` on; a connection that breaks is taken up again while each try brings something."""
        tries = 0
        while position < wanted.entry.size_bytes:
            before, problem = position, UpstreamAway("The upstream ends a file too early.")
            try:
                with self._upstream.file(wanted.kind, wanted.name, wanted.sha, wanted.path, position) as chunks:
                    for chunk in chunks:
                        position += len(chunk)
                        if position > wanted.entry.size_bytes or stopping.is_set():
                            break
                        yield chunk
            except UpstreamAway as error:
                problem = error
            if position > wanted.entry.size_bytes:
                return  # the digest lacks what was too much, and more: it is not right
            tries = tries + 1 if position == before else 0
            if position < wanted.entry.size_bytes and (stopping.is_set() or tries > len(_PAUSES)):
                raise problem
            stopping.wait(_PAUSES[tries - 1] if tries else 0)

    def _join(self, lease: Lease, sha256: str) -> None:
        """The parts become the blob, and are verified once more on the way."""
        pieces = [Piece(part.key, 0, part.size_bytes) for part in lease.parts()]
        with buffered(content_of(self._store, pieces)) as joined:
            self._blobs.put(sha256, cast(BinaryIO, KeepingStream(joined, lease)))

    def _tell(self) -> None:
        with self.news:
            self.news.notify_all()


def _give_up(lease: Lease, error: DomainError) -> None:
    try:
        lease.give_up(error)
    except DomainError:
        _log.warning("the lease runs out by itself")
