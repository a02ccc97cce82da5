"""LISTEN and NOTIFY: wake-ups between processes through Postgres. They may be lost; never rely on one alone."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import psycopg
from psycopg import sql
from sqlalchemy import Engine, text

from kargah.db.engine import libpq_url
from kargah.db.unit_of_work import database_errors
from kargah.telemetry.logging import get_logger

_log = get_logger(__name__)
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
        self._ends: tuple[socket.socket, socket.socket] | None = None  # what is done to one, a wait sees on the other

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
        """End a `wait` that is under way at once, and the connection with it. Safe to repeat."""
        self._closed.set()
        self._end_wait()
        with self._waiting:
            self._disconnect()
            for end in self._ends or ():
                end.close()

    def _receive_or_wait(self, deadline: float) -> list[Notification]:
        with self._waiting:
            try:
                return self._receive(deadline)
            except psycopg.OperationalError as error:
                _log.warning("listening connection lost", channels=self._channels, error=str(error).strip())
                self._disconnect()
        self._closed.wait(min(_RECONNECT_SECONDS, max(0.0, deadline - time.monotonic())))
        return []

    def _receive(self, deadline: float) -> list[Notification]:
        if self._closed.is_set():
            return []
        if self._ends is None:
            self._ends = socket.socketpair()
        self.connect()
        assert self._connection is not None
        if got := _there(self._connection):
            return got
        self._rest(self._connection, self._ends[0], max(0.0, deadline - time.monotonic()))
        return [] if self._closed.is_set() else _there(self._connection)

    def _rest(self, connection: psycopg.Connection[tuple[object, ...]], end: socket.socket, seconds: float) -> None:
        """Until something comes, or `close` is called."""
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        poll.register(end, select.POLLIN)
        if not self._closed.is_set():  # by a `close` that came before there was an end to shut
            poll.poll(seconds * 1000)

    def _end_wait(self) -> None:
        if self._ends is not None:
            with suppress(OSError):  # closed already
                self._ends[1].shutdown(socket.SHUT_RDWR)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _there(connection: psycopg.Connection[tuple[object, ...]]) -> list[Notification]:
    """What has come, without waiting."""
    return [Notification(one.channel, one.payload) for one in connection.notifies(timeout=0, stop_after=1)]
