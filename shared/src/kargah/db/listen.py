"""LISTEN and NOTIFY: wake-ups between processes through Postgres. They may be lost; never rely on one alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql
from sqlalchemy import Engine, text

from kargah.db.engine import libpq_url
from kargah.db.unit_of_work import database_errors
from kargah.telemetry.logging import get_logger

_log = get_logger(__name__)
_SLICE_SECONDS = 0.5  # how soon `close` from another thread is noticed
_RECONNECT_SECONDS = 1.0
_CONNECT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Notification:
    """One NOTIFY; `payload` is at most 8000 bytes by Postgres's own limit."""

    channel: str
    payload: str


def notify(engine: Engine, channel: str, payload: str) -> None:
    """NOTIFY in a transaction of its own. Raises `Unavailable`."""
    with database_errors(), engine.begin() as connection:
        connection.execute(text("SELECT pg_notify(:channel, :payload)"), {"channel": channel, "payload": payload})


class Listener:
    """Listens on its own connection, which it opens on the first `wait` and opens again when it was lost.

    For one thread; only `close` may be called from another.
    """

    def __init__(self, url: str, channels: Sequence[str], *, application_name: str = "kargah-listen") -> None:
        self._url = libpq_url(url)
        self._channels = tuple(channels)
        self._application_name = application_name
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None
        self._closed = threading.Event()
        self._waiting = threading.Lock()

    def wait(self, timeout: float) -> list[Notification]:
        """Block until something came or `timeout` seconds have passed; what came, all that is there at once.

        A lost database is waited out: the answer is then empty at the timeout. After a reconnect, what was
        notified meanwhile is lost.
        """
        deadline = time.monotonic() + timeout
        while not self._closed.is_set():
            got = self._receive_or_wait(deadline)
            if got or time.monotonic() >= deadline:
                return got
        return []

    def connect(self) -> None:
        """Listen from now on, rather than from the first `wait`. Raises `psycopg.OperationalError`."""
        if self._connection is not None:
            return
        connection = psycopg.connect(
            self._url,
            autocommit=True,
            connect_timeout=_CONNECT_SECONDS,
            application_name=self._application_name,
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
        )
        for channel in self._channels:
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        self._connection = connection

    def close(self) -> None:
        """End a `wait` that is under way, which takes up to half a second, and the connection with it."""
        self._closed.set()
        with self._waiting:
            self._disconnect()

    def _receive_or_wait(self, deadline: float) -> list[Notification]:
        with self._waiting:
            try:
                return [] if self._closed.is_set() else self._receive(_left(deadline, _SLICE_SECONDS))
            except psycopg.OperationalError as error:
                _log.warning("listening connection lost", channels=self._channels, error=str(error).strip())
                self._disconnect()
        self._closed.wait(_left(deadline, _RECONNECT_SECONDS))
        return []

    def _receive(self, timeout: float) -> list[Notification]:
        self.connect()
        assert self._connection is not None
        received = self._connection.notifies(timeout=timeout, stop_after=1)
        return [Notification(one.channel, one.payload) for one in received]

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _left(deadline: float, at_most: float) -> float:
    return min(at_most, max(0.0, deadline - time.monotonic()))
