"""The unit of work: one transaction, committed here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from kargah.db.row_security import SETTING
from kargah.domain.errors import Unavailable
from kargah.domain.scope import EVERY, current_project

_READ_ONLY = "25006"  # a standby, in the moments of a failover
_PROGRAM_LIMIT = "54"
# Until the transaction ends, however it does: the connection goes back to the pool as it was.
_SHOW_ONLY = text(f"SELECT set_config('{SETTING}', :project, true)")


class UnitOfWork:
    """`with UnitOfWork(engine) as tx: tx.connection.execute(...)` commits at the end, or rolls back on any error.

    It sees and makes the rows of the scope's project alone (`kargah.domain.scope`), as that was when it was opened.
    Raises `Unavailable` when the database cannot be reached, ends the statement, or refuses to serialize:
    nothing was stored, and trying again may help. (When the connection breaks during the commit itself, it may
    have been stored: writes that matter carry an idempotency key or a generation.)
    """

    def __init__(self, engine: Engine, *, snapshot: bool = False) -> None:
        """`snapshot`: for reading alone; all statements see the database as it was at the first of them."""
        self._engine = engine
        self._snapshot = snapshot
        self._connection: Connection | None = None

    @property
    def connection(self) -> Connection:
        """The open connection. Raises `RuntimeError` outside of the `with` block."""
        if self._connection is None:
            raise RuntimeError("the unit of work is not open")
        return self._connection

    def __enter__(self) -> Self:
        project = current_project()
        with database_errors():
            connection = self._engine.connect()
            if self._snapshot:
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            if project != EVERY:
                _show_only(connection, project)
        self._connection = connection
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        connection, self._connection = self.connection, None
        with database_errors(), connection:
            if error is None:
                connection.commit()
        if isinstance(error, SQLAlchemyError) and is_transient(error):
            raise _unavailable() from error


def _show_only(connection: Connection, project: str) -> None:
    try:
        connection.execute(_SHOW_ONLY, {"project": project})
    except BaseException:
        connection.close()
        raise


@contextmanager
def database_errors() -> Iterator[None]:
    """Turn what the database may get over by itself into `Unavailable`; let programming errors through."""
    try:
        yield
    except SQLAlchemyError as error:
        if is_transient(error):
            raise _unavailable() from error
        raise


def is_transient(error: SQLAlchemyError) -> bool:
    """Lost connections, timeouts, deadlocks, serialization failures, a full pool, a server that is being replaced: not
    the statement's fault. A value too long for an index (class 54) is, whatever its base class says."""
    state = getattr(getattr(error, "orig", None), "sqlstate", None) or ""
    if state == _READ_ONLY or isinstance(error, PoolTimeout):
        return True
    if state.startswith(_PROGRAM_LIMIT):
        return False
    return isinstance(error, OperationalError | InterfaceError) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    )


def _unavailable() -> Unavailable:
    return Unavailable("The database does not answer now.", hint="Try again in a moment.")
