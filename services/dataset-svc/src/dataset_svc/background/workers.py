"""Threads that do the tasks of one table, also those that a killed replica had begun."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any, Generic, Protocol, TypeVar

from dataset_svc.background.hold import Hold, Taken
from kargah.db.engine import Connection, Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import Conflict, DomainError, Unavailable
from kargah.domain.scope import project_scope
from kargah.ports.object_store import ObjectMissing
from kargah.telemetry.logging import get_logger
from kargah.web.errors import problem_of
from kargah.web.shutdown import stopping

LEASE = timedelta(seconds=15)
_POLL_SECONDS = 1.0
_PAUSE = timedelta(seconds=2)
_MOST_TRIES = 20
_log = get_logger(__name__)


class Task(Protocol):
    """`generation` counts who tried it, and is the fence of each try; `project` is whose it is."""

    @property
    def id(self) -> str: ...

    @property
    def project(self) -> str: ...

    @property
    def generation(self) -> int: ...


T = TypeVar("T", bound=Task)


class Craft(Protocol[T]):
    """What is done with tasks of one kind, and where they are recorded. The writes are False when the task is somebody
    else's by now."""

    def claim(self, conn: Connection, lease: timedelta) -> T | None:
        """One that nobody holds, the oldest, now held under a new generation."""

    def renew(self, conn: Connection, task: T, lease: timedelta, done_bytes: int) -> bool:
        """Hold it longer and tell how far it is."""

    def let_go(self, conn: Connection, task: T, pause: timedelta) -> bool:
        """Let it be claimed again after `pause`."""

    def fail(self, conn: Connection, task: T, problem: dict[str, Any]) -> bool:
        """It cannot be done, and why."""

    def do(self, task: T, hold: Hold) -> None:
        """All of it, up to the transaction that records its end. Raises DomainError, ObjectMissing."""

    def clear(self, task: T) -> None:
        """Remove what an ended one has left in the store. Raises Unavailable."""


class Workers(Generic[T]):
    """Do `at_once` tasks at a time, oldest first. Any number of replicas may do so: each task is one's."""

    def __init__(self, engine: Engine, craft: Craft[T], at_once: int = 1, lease: timedelta = LEASE) -> None:
        self._engine = engine
        self._craft = craft
        self._at_once = at_once
        self._lease = lease
        self._woken = threading.Event()

    def start(self) -> None:
        """Begin; the threads end with the process."""
        for number in range(self._at_once):
            name = f"{type(self._craft).__name__}-{number}"
            threading.Thread(target=self._run, name=name, daemon=True).start()

    def wake(self) -> None:
        """There may be something to do."""
        self._woken.set()

    def work(self) -> bool:
        """Do one task that nobody holds; False when there is none. Raises Unavailable without a database."""
        with UnitOfWork(self._engine) as tx:
            task = self._craft.claim(tx.connection, self._lease)
        if task is None:
            return False
        try:
            self._do(task)
        except Taken as error:
            _log.info("a task is no longer worked on here", task=task.id, reason=str(error))
        except (Unavailable, ObjectMissing) as error:
            self._try_again(task, error)
        except DomainError as error:
            self._fail(task, error)
        except Exception as error:
            # The edge of a background thread: what is not foreseen must neither end it nor be tried for ever.
            _log.error("a task broke off", task=task.id, exc_info=error)
            self._try_again(task, error)
        return True

    def _do(self, task: T) -> None:
        def renew(conn: Connection, done_bytes: int) -> bool:
            return self._craft.renew(conn, task, self._lease, done_bytes)

        with Hold(self._engine, task.id, renew, self._lease) as hold, project_scope(task.project):
            self._craft.do(task, hold)
        self._clear(task)

    def _run(self) -> None:
        while not stopping.is_set():
            try:
                if self.work():
                    continue
            except Unavailable as error:
                _log.warning("tasks cannot be looked for", error=str(error))
            self._woken.wait(_POLL_SECONDS)
            self._woken.clear()

    def _try_again(self, task: T, error: Exception) -> None:
        if task.generation >= _MOST_TRIES:
            hint = "begin again, with less data at once; the service's log has the reason"
            self._fail(task, Conflict(f"it could not be done in {_MOST_TRIES} tries", hint))
            return
        _log.warning("a task is tried again later", task=task.id, error=str(error))
        pause = timedelta(0) if stopping.is_set() else _PAUSE
        with UnitOfWork(self._engine) as tx:
            self._craft.let_go(tx.connection, task, pause)

    def _fail(self, task: T, error: DomainError) -> None:
        problem = problem_of(error).model_dump(mode="json")
        with UnitOfWork(self._engine) as tx:
            failed = self._craft.fail(tx.connection, task, problem)
        if failed:
            self._clear(task)

    def _clear(self, task: T) -> None:
        try:
            self._craft.clear(task)
        except Unavailable as error:
            _log.warning("what a task left is left to the janitor", task=task.id, error=str(error))
