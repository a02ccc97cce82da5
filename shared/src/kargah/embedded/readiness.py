"""Whether a service on loopback is ready, asked so cheaply that asking often does not slow its start."""

from __future__ import annotations

from contextlib import closing
from http.client import HTTPConnection, HTTPException

from kargah.embedded.ports import LOOPBACK

_SECONDS = 5.0


def is_ready(port: int, path: str = "/readyz") -> bool:
    """Whether `path` there answers 200 within five seconds."""
    with closing(HTTPConnection(LOOPBACK, port, timeout=_SECONDS)) as connection:
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
