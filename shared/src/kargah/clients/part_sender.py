"""Sends parts of a file to the object store, several at once, each until it is there."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx

from kargah.clients.transport import PATIENCE, PAUSE_SECONDS, Unreachable
from kargah.contracts.uploads import PartUrl, PartUrls
from kargah.domain.hosts import any_https, is_loopback

_AT_ONCE = 4
_CHUNK = 256 << 10
_TIMEOUT = httpx.Timeout(120.0, connect=5.0)

Page = Callable[[int, int], PartUrls]
"""The URLs of the first `limit` missing parts behind part `after`."""


class StoreUnreachable(Exception):
    """The address that the parts' URLs name cannot be reached from here."""


class PartSender:
    """One file's missing parts. `on_bytes` hears of bytes sent, and of a failed part's with a minus."""

    def __init__(self, descriptor: int, page: Page, on_bytes: Callable[[int], None]) -> None:
        self._descriptor = descriptor
        self._page = page
        self._on_bytes = on_bytes
        self._missing = self._all_missing()
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def send(self) -> None:
        """Until all are there. Raises StoreUnreachable before the first one, Unreachable when one does not get
        through, ApiError when the upload is given up meanwhile."""
        first = self._page(0, 1).items
        if not first:
            return
        with store_client(first[0].url) as store, ThreadPoolExecutor(_AT_ONCE, "part") as pool:
            _reach(store, first[0].url)
            workers = [pool.submit(self._work, store) for _ in range(_AT_ONCE)]
            try:
                for worker in workers:
                    worker.result()
            finally:
                self._stop.set()

    def _work(self, store: httpx.Client) -> None:
        try:
            while (part := self._take()) is not None:
                self._send(store, part)
        except BaseException:
            self._stop.set()  # the other threads need not go on
            raise

    def _take(self) -> PartUrl | None:
        with self._lock:
            return None if self._stop.is_set() else next(self._missing, None)

    def _all_missing(self) -> Iterator[PartUrl]:
        after: int | None = 0
        while after is not None:
            page = self._page(after, 4 * _AT_ONCE)
            yield from page.items
            after = page.next_after

    def _send(self, store: httpx.Client, part: PartUrl) -> None:
        """Until the store has it; each further try with a URL signed anew."""
        for _ in range(PATIENCE):
            if self._put(store, part) or self._stop.wait(PAUSE_SECONDS):
                return
            again = self._page(part.number - 1, 1).items
            if not again or again[0].number != part.number:
                return
            part = again[0]
        raise Unreachable(part.url.partition("?")[0], ConnectionError(f"part {part.number} does not get through"))

    def _put(self, store: httpx.Client, part: PartUrl) -> bool:
        body = _Piece(self._descriptor, part, self._stop, self._on_bytes)
        headers = {"Content-Length": str(part.size_bytes), "Content-Type": "application/octet-stream"}
        try:
            good = store.put(part.url, content=iter(body), headers=headers).status_code == httpx.codes.OK
        except (httpx.TransportError, _Stopped):
            good = False
        if not good:
            self._on_bytes(-body.sent)
        return good


class _Stopped(Exception):
    """Another part failed for good, or the user stopped it all."""


class _Piece:
    """A part's bytes, read as they are sent."""

    def __init__(self, descriptor: int, part: PartUrl, stop: threading.Event, on_bytes: Callable[[int], None]) -> None:
        self._descriptor = descriptor
        self._part = part
        self._stop = stop
        self._on_bytes = on_bytes
        self.sent = 0

    def __iter__(self) -> Iterator[bytes]:
        while self.sent < self._part.size_bytes:
            if self._stop.is_set():
                raise _Stopped
            wanted = min(_CHUNK, self._part.size_bytes - self.sent)
            data = os.pread(self._descriptor, wanted, self._part.offset + self.sent)
            if not data:
                raise OSError("the file became shorter while it was sent; upload it again")
            yield data
            self.sent += len(data)
            self._on_bytes(len(data))


def store_client(url: str) -> httpx.Client:
    """A client for the store at `url`; a proxy of the environment knows no way back to this machine."""
    remote = not is_loopback(urlsplit(url).hostname or "")
    return httpx.Client(timeout=_TIMEOUT, trust_env=remote, verify=any_https(url))


def _reach(store: httpx.Client, url: str) -> None:
    address = urlsplit(url)
    origin = f"{address.scheme}://{address.netloc}"
    try:
        store.head(origin)
    except httpx.TransportError as error:
        raise StoreUnreachable(f"the object store does not answer at {origin}: {error}") from error
