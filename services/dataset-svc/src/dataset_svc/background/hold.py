"""Holding a task while it is worked on: the lease is renewed, progress is told, and a lost one ends the work."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Self

from kargah.db.engine import Connection, Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import Conflict, Unavailable
from kargah.telemetry.logging import get_logger
from kargah.web.shutdown import stopping

_BEATS = 5  # in the time of a lease: some may come late
_log = get_logger(__name__)
Renew = Callable[[Connection, int], bool]
"""Hold it longer and record the bytes done; False when it is no longer this process's."""


class Taken(Conflict):
    """The task was given up, or somebody else works on it by now."""

    code = "taken"


class Hold:
    """`with Hold(engine, "upload_1", renew, lease) as hold:` - a thread renews the lease until the block ends.

    A process that is killed renews nothing, and the task is somebody else's when the lease is over.
    """

    def __init__(self, engine: Engine, task: str, renew: Renew, lease: timedelta) -> None:
        self._engine = engine
        self._task = task
        self._renew = renew
        self._lease = lease
        self._bytes = 0
        self._lost = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"hold {task}", daemon=True)

    def on_bytes(self, count: int) -> None:
        """So many more bytes are read. Raises Taken, and Unavailable when this process is to end."""
        self._bytes += count
        if self._lost:
            raise self.taken()
        if stopping.is_set():
            raise Unavailable("this replica is ending", "the next one goes on")

    def taken(self) -> Taken:
        """The error for a write that the fence refused: raised within its transaction, it undoes that."""
        return Taken(f"{self._task} is no longer this replica's")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(timeout=self._lease.total_seconds())

    def _beat(self) -> None:
        while not self._ended.wait(min(1.0, self._lease.total_seconds() / _BEATS)):
            try:
                with UnitOfWork(self._engine) as tx:
                    self._lost = not self._renew(tx.connection, self._bytes)
            except Unavailable as error:
                _log.warning("a lease could not be renewed", task=self._task, error=str(error))
            if self._lost:
                return
