"""How many bytes a project may keep in a service, counted in the transaction that adds some.

Where nobody logs in there is one project, and nothing is counted. What the platform's own services send is never
refused: a training that ended is kept, and the gateway accepts no other while there is no room (`require_room`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text, delete, select, text
from sqlalchemy.dialects.postgresql import insert

from kargah.access.principal import current_principal
from kargah.access.roles import Role
from kargah.contracts.storage import StorageView
from kargah.db.row_security import NEW_ROW_PROJECT
from kargah.domain.errors import OverQuota
from kargah.domain.scope import EVERY, current_project

_LOCK_CLASS = 0x5371  # the first of two numbers of the advisory lock: "Sq"
_LOCK = text("SELECT pg_advisory_xact_lock(:lock_class, hashtext(:project))")
_RETRY_SECONDS = 60
_HINT = "Delete versions that nobody needs, or ask who looks after the platform for more (kargah projects storage)."

Used = Callable[[Connection], Mapping[str, int]]
"""Bytes by project, of those that the connection sees and that have any."""


def limits_table(metadata: MetaData) -> Table:
    """The limits that projects have of their own (a migration makes it, with a policy by its project)."""
    return Table(
        "storage_limits",
        metadata,
        Column("project", Text, primary_key=True, server_default=text(NEW_ROW_PROJECT)),
        Column("max_bytes", BigInteger, nullable=False),
    )


class StorageQuota:
    """Safe to share between threads. Functions take a connection; whoever opened it commits."""

    def __init__(self, limits: Table, used: Used, what: str, usual: int | None, *, enforced: bool) -> None:
        """`what` is counted, for people ("datasets"); `usual`: bytes of a project without a limit of its own, None for
        any number; `enforced`: people log in here."""
        self._limits = limits
        self._used = used
        self._what = what
        self._usual = usual
        self._enforced = enforced

    @contextmanager
    def kept(self, conn: Connection) -> Iterator[None]:
        """Around what adds bytes to the project at hand. Raises OverQuota when it then has more than it had, and more
        than it may. Where there is a limit, nobody else adds to the project until the transaction ends: take this
        before any other lock that whoever adds takes within the block."""
        limit = self._limit(conn)
        if limit is None:
            yield
            return
        project = current_project()
        conn.execute(_LOCK, {"lock_class": _LOCK_CLASS, "project": project})
        before = self._used(conn).get(project, 0)
        yield
        after = self._used(conn).get(project, 0)
        if after > max(before, limit):
            raise self._refused(before, limit, after - before)

    def expect(self, conn: Connection, size: int) -> None:
        """Before `size` bytes are sent. Raises OverQuota when there is no room for them as things stand."""
        limit = self._limit(conn)
        if limit is None:
            return
        used = self._used(conn).get(current_project(), 0)
        if used + size > limit:
            raise self._refused(used, limit, size)

    def views(self, conn: Connection) -> list[StorageView]:
        """Every project that has bytes or a limit, of those that the connection sees; the project at hand always."""
        used = self._used(conn)
        own: dict[str, int] = {row.project: row.max_bytes for row in conn.execute(select(self._limits))}
        here = set() if current_project() == EVERY else {current_project()}
        return [self._view(name, used.get(name, 0), own.get(name)) for name in sorted(used.keys() | own.keys() | here)]

    def set(self, conn: Connection, project: str, max_bytes: int | None) -> StorageView:
        """From now on; what there is stays. None: as much as everybody."""
        if max_bytes is None:
            conn.execute(delete(self._limits).where(self._limits.c.project == project))
        else:
            values: dict[str, Any] = {"max_bytes": max_bytes}
            statement = insert(self._limits).values(project=project, **values)
            conn.execute(statement.on_conflict_do_update(index_elements=[self._limits.c.project], set_=values))
        return self._view(project, self._used(conn).get(project, 0), max_bytes)

    def _limit(self, conn: Connection) -> int | None:
        """Of the project at hand; None where anything goes."""
        project = current_project()
        if not self._enforced or project == EVERY or current_principal().role is Role.SERVICE:
            return None
        own = conn.execute(select(self._limits.c.max_bytes).where(self._limits.c.project == project)).scalar()
        return self._usual if own is None else own

    def _view(self, project: str, used: int, own: int | None) -> StorageView:
        limit = self._usual if own is None else own
        shown = limit if self._enforced else None
        return StorageView(project=project, used_bytes=used, max_bytes=shown, own_limit=own is not None)

    def _refused(self, used: int, limit: int, more: int) -> OverQuota:
        message = f"The {self._what} of {current_project()} take {used:,} of {limit:,} bytes; {more:,} more do not fit."
        return OverQuota(message, hint=_HINT, extra={"seconds": _RETRY_SECONDS})


def no_quota() -> StorageQuota:
    """Anything goes."""
    return StorageQuota(limits_table(MetaData()), lambda conn: {}, "", None, enforced=False)
