"""Take a connection from gunicorn once the answer's headers are sent, so that the request's thread is free again.

gunicorn knows no such thing. What it does know is a client that leaves in the midst of an answer: it drops the
connection without a word. It is told so of a connection that is somebody else's by then; `is_handed_over` keeps it from
closing what is not its own.
"""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kargah.web.unread import close_after_this

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_GONE = -1
_current = threading.local()

Take = Callable[[socket.socket, bool], None]
Write = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class _Offer:
    take: Take
    first: bytes


class _HandedOver(BrokenPipeError):
    """The connection has a new owner; gunicorn takes it for a client that has left."""


def offer(take: Take, first: bytes) -> None:
    """Have the answer to the request of this thread continued by `take(connection, chunked)` after its headers and
    `first`, where the server can do that; `chunked`: whether HTTP's chunks must frame what follows."""
    _current.offer = _Offer(take, first)


def handing_over(app: WSGIApplication) -> WSGIApplication:
    """Wrap `app`, as the outermost layer under gunicorn."""

    def wrapped(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        writes: list[Write] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Write:
            write = start_response(status, headers, exc_info)
            if status.startswith("200"):
                writes.append(write)
            return write

        _current.offer = None
        answer = app(environ, start)
        offered: _Offer | None = _current.offer
        if offered is None or not writes:
            return answer
        return _Handing(answer, environ, writes[-1], offered)

    return wrapped


def is_handed_over(connection: socket.socket) -> bool:
    """Whether gunicorn's socket is but an empty shell."""
    return connection.fileno() == _GONE


class _Handing:
    def __init__(self, answer: Iterable[bytes], environ: WSGIEnvironment, write: Write, offered: _Offer) -> None:
        self._answer = answer
        self._environ = environ
        self._write = write
        self._offered = offered

    def __iter__(self) -> Iterator[bytes]:
        close_after_this()
        self._write(self._offered.first)
        connection = socket.socket(fileno=self._environ["gunicorn.socket"].detach())
        self._offered.take(connection, self._environ["SERVER_PROTOCOL"] != "HTTP/1.0")
        raise _HandedOver(errno.EPIPE, "the connection was handed over")

    def close(self) -> None:
        close: Any = getattr(self._answer, "close", None)
        if close is not None:
            close()
