"""The campaign's own look into the database, which may be away at any moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import psycopg

_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.1


class Books:
    """Reads as the superuser; a lost connection is made anew. Safe to share between threads."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The answer to `query`, which is asked again for a minute while the database is away."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return self._ask(query, parameters)
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE_SECONDS)

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()

    def _ask(self, query: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        with self._lock:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(self._url, autocommit=True, connect_timeout=5)
            try:
                return self._connection.execute(query, parameters).fetchall()
            except psycopg.OperationalError:
                self._connection.close()
                raise
