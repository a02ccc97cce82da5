"""Answers without end, written by one thread for all clients: an open stream takes no thread of the server.

The view answers with `Pusher.response`. Under gunicorn the connection is handed over once the headers are sent
(`kargah.web.handover`); another WSGI server keeps its thread, which passes on what it reads from a pair of sockets.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from queue import SimpleQueue

from flask import Response

from kargah.web.handover import offer
from kargah.web.outlet import Outlet
from kargah.web.shutdown import at_end, stopping

_LOOK_SECONDS = 0.5
_STALLED_SECONDS = 60.0
_LAST_SECONDS = 1.0
_READ_BYTES = 65_536


class Pusher:
    """The thread: sends what clients could not take at once, sees who has left, and leaves those who take nothing for
    `stalled_seconds`."""

    def __init__(self, stalled_seconds: float = _STALLED_SECONDS) -> None:
        self._stalled_seconds = stalled_seconds
        self._wake_by: socket.socket | None = None
        self._news: SimpleQueue[tuple[Outlet, socket.socket]] = SimpleQueue()
        self._stopped = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pusher", daemon=True)

    def start(self) -> None:
        self._selector = selectors.DefaultSelector()
        woken, self._wake_by = socket.socketpair()
        woken.setblocking(False)
        self._wake_by.setblocking(False)
        self._selector.register(woken, selectors.EVENT_READ)
        self._thread.start()
        at_end(self.stop)

    def stop(self) -> None:
        """End all streams, and the thread. Clients have a second to take what they were sent."""
        self._stopped.set()
        self._wake()
        if self._thread.ident is not None:
            self._thread.join(_LAST_SECONDS + 5)

    def response(self, outlet: Outlet, headers: dict[str, str], content_type: str, first: bytes) -> Response:
        """The answer that `outlet` then fills, after `first`; it is closed where the client left before the headers."""

        def take(connection: socket.socket, chunked: bool) -> None:
            self.adopt(outlet, connection, chunked=chunked)

        def leave_untaken() -> None:
            if not outlet.taken:
                outlet.close()

        offer(take, first)
        answer = Response(self._by_this_thread(outlet, first), content_type=content_type, headers=headers)
        answer.call_on_close(leave_untaken)
        return answer

    def adopt(self, outlet: Outlet, connection: socket.socket, *, chunked: bool) -> None:
        """Send what `outlet` is given by `connection`, which is closed at the end."""
        outlet.connect(connection, chunked=chunked, wants_writing=lambda: self._ask(outlet, connection))
        self._ask(outlet, connection)
        if self._over.is_set():
            _cut(outlet, connection)

    def _by_this_thread(self, outlet: Outlet, first: bytes) -> Iterator[bytes]:
        here, there = socket.socketpair()
        with here:
            self.adopt(outlet, there, chunked=False)
            yield first
            while data := here.recv(_READ_BYTES):
                yield data

    def _ask(self, outlet: Outlet, connection: socket.socket) -> None:
        self._news.put((outlet, connection))
        self._wake()

    def _wake(self) -> None:
        if self._wake_by is not None:
            with suppress(OSError):  # full: then it wakes anyway
                self._wake_by.send(b"\0")

    def _run(self) -> None:
        while not (self._stopped.is_set() or stopping.is_set()):
            self._turn(_LOOK_SECONDS)
            self._leave_stalled()
        self._end_all()

    def _turn(self, seconds: float) -> None:
        for key, mask in self._selector.select(seconds):
            connection: socket.socket = key.fileobj  # type: ignore[assignment]  # nothing else is registered
            if key.data is None:
                _is_there(connection)
            else:
                self._serve(key.data, connection, mask)
        while not self._news.empty():
            self._watch(*self._news.get())

    def _serve(self, outlet: Outlet, connection: socket.socket, mask: int) -> None:
        if mask & selectors.EVENT_READ and not outlet.ending and not _is_there(connection):
            outlet.end()  # one that has only said all it had to say gets a proper end
        elif mask & selectors.EVENT_WRITE:
            outlet.drain()
        self._watch(outlet, connection)

    def _watch(self, outlet: Outlet, connection: socket.socket) -> None:
        """See to it that the selector waits for what the outlet waits for. Connections are closed here alone: another
        one must not get the number of one that the selector still knows."""
        if connection.fileno() < 0:
            return
        key = self._selector.get_map().get(connection)
        waits = outlet.ending and outlet.waiting  # of a client that may have left for good, writing tells
        wanted = (0 if waits else selectors.EVENT_READ) | (selectors.EVENT_WRITE if outlet.waiting else 0)
        if outlet.closed:
            if key is not None:
                self._selector.unregister(connection)
            connection.close()
        elif key is None:
            self._selector.register(connection, wanted, outlet)
        elif key.events != wanted:
            self._selector.modify(connection, wanted, outlet)

    def _outlets(self) -> list[tuple[Outlet, socket.socket]]:
        keys = list(self._selector.get_map().values())
        return [(key.data, key.fileobj) for key in keys if key.data is not None]  # type: ignore[misc]

    def _leave_stalled(self) -> None:
        long_ago = time.monotonic() - self._stalled_seconds
        for outlet, connection in self._outlets():
            if outlet.waiting and outlet.moved_at < long_ago:
                outlet.close()
            if outlet.closed:
                self._watch(outlet, connection)

    def _end_all(self) -> None:
        self._turn(0)
        deadline = time.monotonic() + _LAST_SECONDS
        while (left := self._outlets()) and time.monotonic() < deadline:
            for outlet, _ in left:  # also those that have come meanwhile
                outlet.end()
            self._turn(0.05)
        for outlet, connection in self._outlets():
            outlet.end()
            outlet.close()
            self._watch(outlet, connection)
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()
        if self._wake_by is not None:
            self._wake_by.close()
        self._over.set()
        while not self._news.empty():  # whoever comes from now on sees that it is over
            _cut(*self._news.get())


def _cut(outlet: Outlet, connection: socket.socket) -> None:
    """It came too late to be served; safe to repeat."""
    outlet.end()
    outlet.close()
    connection.close()


def _is_there(connection: socket.socket) -> bool:
    """Whether the client has not left; what it says meanwhile is dropped."""
    try:
        return bool(connection.recv(_READ_BYTES))
    except BlockingIOError:
        return True
    except OSError:
        return False
