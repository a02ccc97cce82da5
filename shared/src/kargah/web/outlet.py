"""One client of an answer without end: what it is sent, kept as far as it has not taken it yet."""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property

ROOM_BYTES = 256 << 10


class Piece:
    """Bytes for many clients: framed for HTTP/1.1 once, not once for each."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    @cached_property
    def chunk(self) -> bytes:
        """As a chunk of `Transfer-Encoding: chunked`."""
        return b"%X\r\n%b\r\n" % (len(self.data), self.data)


_LAST_CHUNK = b"0\r\n\r\n"


def _nothing() -> None:
    """For those who need not know."""


class Outlet:
    """Safe to use from any thread; nothing here waits for the client.

    `on_room`: called when a client that had no room has taken most of what it was sent. `on_close`: called once, when
    nothing can be sent any more, whoever ended it.
    """

    def __init__(self, on_room: Callable[[], object] = _nothing, on_close: Callable[[], object] = _nothing) -> None:
        self.moved_at = time.monotonic()
        self._on_room = on_room
        self._on_close = on_close
        self._lock = threading.Lock()
        self._kept: deque[memoryview] = deque()
        self._size = 0
        self._full = self._ending = self._closed = self._chunked = False
        self._socket: socket.socket | None = None
        self._wants_writing: Callable[[], object] = _nothing

    @property
    def has_room(self) -> bool:
        """Whether more should be sent: a piece more than there is room for is still kept."""
        return self._size < ROOM_BYTES

    @property
    def taken(self) -> bool:
        """Whether there is a connection to send by."""
        return self._socket is not None

    @property
    def closed(self) -> bool:
        """Whether it is over."""
        return self._closed

    @property
    def ending(self) -> bool:
        """Whether nothing more comes: it is over once the client has taken what there is."""
        return self._ending

    @property
    def waiting(self) -> bool:
        """Whether the client has still to take something."""
        return self._size > 0

    def connect(self, to: socket.socket, *, chunked: bool, wants_writing: Callable[[], object]) -> None:
        """From now on by this connection. `wants_writing`: called when `drain` is needed."""
        to.setblocking(False)
        with self._lock:
            self._socket, self._chunked, self._wants_writing = to, chunked, wants_writing
            if chunked:  # what was sent before it was known
                before, self._kept, self._size = self._kept, deque(), 0
                for data in before:
                    self._keep(Piece(bytes(data)).chunk)
                if self._ending:
                    self._keep(_LAST_CHUNK)
        self.drain()

    def send(self, piece: Piece) -> None:
        """At once as far as the client takes it; the rest is kept for `drain`."""
        with self._lock:
            if self._closed or self._ending:
                return
            self._keep(piece.chunk if self._chunked else piece.data)
        self.drain()

    def end(self) -> None:
        """Nothing more comes: close once the client has taken what there is."""
        with self._lock:
            if self._closed or self._ending:
                return
            self._ending = True
            if self._chunked:
                self._keep(_LAST_CHUNK)
        self.drain()

    def close(self) -> None:
        """At once, whatever the client has taken."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._kept.clear()
            self._size = 0
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)  # its number stays taken: `Pusher` closes it
        self._on_close()

    def drain(self) -> None:
        """Send what the client takes now."""
        with self._lock:
            if self._socket is None or self._closed:
                return
            gone = not self._write()
            room = self._full and self._size <= ROOM_BYTES // 2
            self._full = not self.has_room or (self._full and not room)
            over = gone or (self._ending and not self._kept)
            wanted = bool(self._kept) and not over
        if over:
            self.close()
        elif wanted:
            self._wants_writing()
        if room and not over:
            self._on_room()

    def _keep(self, data: bytes) -> None:
        self._kept.append(memoryview(data))
        self._size += len(data)

    def _write(self) -> bool:
        """Whether the client is still there."""
        assert self._socket is not None
        try:
            while self._kept:
                count = self._socket.send(self._kept[0])
                self.moved_at = time.monotonic()
                self._size -= count
                if count == len(self._kept[0]):
                    self._kept.popleft()
                else:
                    self._kept[0] = self._kept[0][count:]
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True
