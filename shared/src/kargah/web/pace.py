"""Senders that are too slow: each request holds a thread while it arrives, and a trickle would hold it for ever."""

from __future__ import annotations

import errno
import time
from socket import socket

from gunicorn.http.unreader import SocketUnreader

LEAST = 1024  # bytes a second


class SenderTooSlow(TimeoutError):
    """Too little arrived in the time. The server drops the connection without a word where not even the request's head
    was there."""

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "the sender is too slow")


class PacedReader(SocketUnreader):  # type: ignore[misc]  # gunicorn publishes no types
    """Reads what clients send: raises SenderTooSlow when `window` seconds of waiting brought less than 1 KiB for each.

    Only waiting counts: a service that is slow to take what is there does not make its client slow. Nor does a client
    that has nothing to send between two requests: it is not read from then.
    """

    def __init__(self, sock: socket, window: float) -> None:
        super().__init__(sock)
        self._window = window
        self._waited, self._count = 0.0, 0

    def begin(self) -> None:
        """Another request begins."""
        self._waited, self._count = 0.0, 0

    def chunk(self, size_hint: int | None = None) -> bytes:
        """What is there, at least a byte; empty at the end."""
        while (data := self._within_the_window(size_hint)) is None:
            pass
        return data

    def _within_the_window(self, size_hint: int | None) -> bytes | None:
        """None when the window ended while nothing came, and enough had come in it before."""
        prior, left = self.sock.gettimeout(), max(0.001, self._window - self._waited)
        data: bytes | None = None
        began = time.monotonic()
        self.sock.settimeout(left if prior is None else min(prior, left))
        try:
            data = super().chunk(size_hint)
        except TimeoutError:
            if prior is not None and prior < left:
                raise
        finally:
            self.sock.settimeout(prior)
        self._take(len(data or b""), time.monotonic() - began)
        return data

    def _take(self, count: int, seconds: float) -> None:
        self._waited += seconds
        self._count += count
        if self._waited >= self._window:
            if self._count < LEAST * self._window:
                raise SenderTooSlow
            self.begin()


def is_too_slow(error: BaseException | None) -> bool:
    """Whether that is what an error comes from."""
    while error is not None:
        if isinstance(error, SenderTooSlow):
            return True
        error = error.__cause__ or error.__context__
    return False
