"""Whether the client of a request still waits."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import TYPE_CHECKING

from flask import Flask

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_EVERY_SECONDS = 0.2


_connection: ContextVar[socket.socket | None] = ContextVar("client connection", default=None)


def remember_connections(app: Flask) -> None:
    """Have each request's connection at hand for `watch_client`, under a server that shows it (gunicorn does)."""
    inner = app.wsgi_app

    def outer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        connection = environ.get("gunicorn.socket")
        _connection.set(connection if isinstance(connection, socket.socket) else None)
        return inner(environ, start_response)

    app.wsgi_app = outer  # type: ignore[method-assign]  # as Flask's documentation does


def watch_client() -> Callable[[], bool]:
    """A function that tells, at most every 0.2 s anew, whether the client of this request has closed its connection.

    Under servers that do not show their socket it always says no.
    """
    connection = _connection.get()
    if connection is None:
        return lambda: False
    looked_at = time.monotonic()
    gone = False

    def client_gone() -> bool:
        nonlocal looked_at, gone
        if not gone and time.monotonic() - looked_at >= _EVERY_SECONDS:
            looked_at = time.monotonic()
            gone = _is_closed(connection)
        return gone

    return client_gone


def _is_closed(connection: socket.socket) -> bool:
    """Readable without anything to read: the other end has closed. What it may have sent stays unread."""
    try:
        readable, _, _ = select.select([connection], [], [], 0)
        return bool(readable) and connection.recv(1, socket.MSG_PEEK) == b""
    except (OSError, ValueError):
        return True
