"""Whether the client of a request still waits."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

_EVERY_SECONDS = 0.2


def watch_client(environ: Mapping[str, Any]) -> Callable[[], bool]:
    """A function that tells, at most every 0.2 s anew, whether the client has closed its connection.

    Under servers that do not show their socket it always says no.
    """
    connection = environ.get("gunicorn.socket")
    if not isinstance(connection, socket.socket):
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
