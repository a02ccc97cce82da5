"""The right to fetch one file, as long as it is renewed."""

from __future__ import annotations

import io
import time
from datetime import timedelta
from typing import BinaryIO

from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import DomainError
from kargah.ports.object_store import ObjectStore
from registry.mirror import fetch_repository
from registry.mirror.errors import WrongBytes, written
from registry.mirror.fetch_repository import PREFIX, KeptPart

SECONDS = 10.0
"""How long a process that was killed keeps others from going on."""
_RENEW_SECONDS = 2.0
_REFUSE = timedelta(seconds=60)


class LeaseLost(Exception):
    """Another process fetches the file now: whatever this one still does counts for nothing."""


class Lease:
    """Held by one thread. Every call may raise Unavailable, and LeaseLost once another has it."""

    def __init__(self, engine: Engine, store: ObjectStore, etag: str, generation: int) -> None:
        self._engine = engine
        self._store = store
        self._etag = etag
        self._generation = generation
        self._length = timedelta(seconds=SECONDS)
        self._renewed = time.monotonic()

    def keep(self) -> None:
        """To be called often: renews it now and then."""
        if time.monotonic() - self._renewed < _RENEW_SECONDS:
            return
        with UnitOfWork(self._engine) as tx:
            held = fetch_repository.renew(tx.connection, self._etag, self._generation, self._length)
        self._check(held)

    def parts(self) -> list[KeptPart]:
        """What came so far, without a gap."""
        with UnitOfWork(self._engine) as tx:
            return fetch_repository.parts(tx.connection, self._etag)

    def add_part(self, begin: int, data: bytes) -> None:
        """Keep bytes: first the object, then the row that makes it count."""
        part = KeptPart(self._etag, begin, len(data), self._generation)
        self._store.put(part.key, data)
        with UnitOfWork(self._engine) as tx:
            held = fetch_repository.add_part(tx.connection, part, self._length)
        if not held:
            self._store.delete(part.key)
        self._check(held)

    def drop_parts(self) -> None:
        """Throw away what came."""
        kept = self.parts()
        with UnitOfWork(self._engine) as tx:
            fetch_repository.drop_parts(tx.connection, self._etag, self._generation)
        for part in kept:
            self._store.delete(part.key)

    def finish(self) -> None:
        """The file is a blob; what else there is of it goes, also what killed processes left beside the rows."""
        with UnitOfWork(self._engine) as tx:
            fetch_repository.finish(tx.connection, self._etag, self._generation)
        for found in list(self._store.list(f"{PREFIX}{self._etag}/")):
            self._store.delete(found.key)

    def give_up(self, error: DomainError | None) -> None:
        """Let another try at once, or after a while where wrong bytes came."""
        refuse = _REFUSE if isinstance(error, WrongBytes) else None
        failure = written(error) if error is not None else None
        with UnitOfWork(self._engine) as tx:
            fetch_repository.give_up(tx.connection, self._etag, self._generation, failure, refuse)

    def _check(self, held: bool) -> None:
        if not held:
            raise LeaseLost
        self._renewed = time.monotonic()


class KeepingStream(io.RawIOBase):
    """Passes `source` on and renews the lease meanwhile."""

    def __init__(self, source: BinaryIO, lease: Lease) -> None:
        super().__init__()
        self._source = source
        self._lease = lease

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        self._lease.keep()
        return self._source.read(size)
