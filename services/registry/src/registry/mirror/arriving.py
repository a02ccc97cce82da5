"""Reading a file while it is fetched, here or by another process: what came so far, and then what comes."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Generator, Iterator

from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.ports.object_store import ObjectMissing, ObjectStore
from kargah.web.shutdown import stopping
from registry.blobs.service import PREFIX
from registry.mirror import errors, fetch_repository
from registry.mirror.errors import UpstreamAway
from registry.mirror.fetcher import Fetcher
from registry.mirror.values import Wanted

_CHUNK = 1 << 20
_POLL_SECONDS = 0.2
_PATIENCE_SECONDS = 60.0


class Arriving:
    """Safe to share between threads."""

    def __init__(self, engine: Engine, store: ObjectStore, fetcher: Fetcher) -> None:
        self._engine = engine
        self._store = store
        self._fetcher = fetcher

    def read(self, wanted: Wanted, start: int, stop: int) -> tuple[Iterator[bytes], Callable[[], object]]:
        """The bytes from `start` to before `stop`, and what closes them.

        Waits for the first of them, and raises what kept them from coming: what the upstream says, UpstreamAway,
        WrongBytes. Later the stream breaks off instead, before its end.
        """
        pieces = self._pieces(wanted, start, stop)
        first = next(pieces, b"")
        return itertools.chain([first], pieces), pieces.close

    def _pieces(self, wanted: Wanted, position: int, stop: int) -> Generator[bytes, None, None]:
        wait = _Wait(self._fetcher, wanted)
        while position < stop:
            source = self._source(wanted, position, wait)
            if source is None:
                continue
            key, offset, length = source
            try:
                with self._store.open(key, offset=offset, length=min(length, stop - position)) as stream:
                    while chunk := stream.read(_CHUNK):
                        wait.came()
                        position += len(chunk)
                        yield chunk
            except ObjectMissing:
                wait.a_little()  # it is whole by now, or was thrown away

    def _source(self, wanted: Wanted, position: int, wait: _Wait) -> tuple[str, int, int] | None:
        """The object that has these bytes, where in it, and how many; None after waiting for them a little."""
        with UnitOfWork(self._engine) as tx:
            fetch = fetch_repository.find(tx.connection, wanted.etag)
            kept = fetch_repository.parts(tx.connection, wanted.etag, position) if fetch is not None else []
        if kept and kept[0].begin <= position and not (fetch is not None and fetch.refused):
            return kept[0].key, position - kept[0].begin, kept[0].end - position
        if fetch is None and (sha256 := self._fetcher.kept(wanted)) is not None:
            return PREFIX + sha256, position, wanted.entry.size_bytes - position
        wait.judge(fetch)
        wait.a_little()
        return None


class _Wait:
    """Of one reader: it sees to it that somebody fetches, and gives up in time."""

    def __init__(self, fetcher: Fetcher, wanted: Wanted) -> None:
        self._fetcher = fetcher
        self._wanted = wanted
        self._seen: int | None = None
        self.came()

    def came(self) -> None:
        """Something came: patience begins anew."""
        self._deadline = time.monotonic() + _PATIENCE_SECONDS

    def judge(self, fetch: fetch_repository.Fetch | None) -> None:
        """Begin the fetch where nobody is at it. Raises what ended the one that was waited for."""
        if fetch is not None and fetch.active:
            self._seen = fetch.generation
            return
        if fetch is not None and fetch.failure and (fetch.refused or fetch.generation == self._seen):
            raise errors.read(fetch.failure)
        self._seen = self._fetcher.start(self._wanted) or self._seen

    def a_little(self) -> None:
        """Wait for news. Raises UpstreamAway when there was none for too long."""
        if stopping.is_set() or time.monotonic() > self._deadline:
            message = f"{self._wanted.path[:200]!r} is still on its way from the upstream."
            raise UpstreamAway(message, hint="Try again in a moment: what came is kept.")
        with self._fetcher.news:
            self._fetcher.news.wait(_POLL_SECONDS)
