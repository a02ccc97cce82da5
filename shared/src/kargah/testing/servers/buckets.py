"""Empty buckets, a new one for each test. The first object of a bucket waits for volumes, a fifth of a second, so the
next buckets get theirs while a test runs."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from kargah.adapters.minio_store import MinioStore
from kargah.embedded.object_store import EmbeddedObjectStore

_AHEAD = 2  # as many as a test takes: more would hold volumes, of which a server has some dozen
_FIRST_KEY = "first"


class Buckets:
    """Of one server, which must run until `close`; `store_in` gives the store for a bucket there. For one thread."""

    def __init__(self, server: EmbeddedObjectStore, store_in: Callable[[EmbeddedObjectStore, str], MinioStore]) -> None:
        self._server = server
        self._store_in = store_in
        self._maker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="buckets")
        self._coming: deque[Future[MinioStore]] = deque()

    def lend(self) -> MinioStore:
        """One that nobody else has, or had."""
        while len(self._coming) <= _AHEAD:
            self._coming.append(self._maker.submit(self._made))
        return self._coming.popleft().result()

    def take_back(self, store: MinioStore) -> None:
        """Remove the bucket with all that is in it."""
        for found in list(store.list("")):
            store.delete(found.key)
        self._server.client().remove_bucket(store.bucket)

    def close(self) -> None:
        """Make no more."""
        self._maker.shutdown(cancel_futures=True)

    def _made(self) -> MinioStore:
        store = self._store_in(self._server, f"test-{secrets.token_hex(6)}")
        store.ensure_bucket()
        store.put(_FIRST_KEY, b"x")  # an empty one needs no volume
        store.delete(_FIRST_KEY)
        return store
