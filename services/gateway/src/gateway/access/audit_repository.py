"""The record of what was changed and refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select

from gateway.access.tables import audit
from kargah.contracts.access import AuditEntry


def add(conn: Connection, entry: Mapping[str, Any]) -> None:
    """One row; the moment is the database's."""
    conn.execute(insert(audit).values(**entry))


def remove_old(conn: Connection, age: timedelta) -> None:
    """Rows older than `age`."""
    conn.execute(delete(audit).where(audit.c.at < func.now() - age))


def page(
    conn: Connection,
    *,
    project: str | None,
    name: str | None = None,
    operation: str | None = None,
    status: int | None = None,
    since: datetime | None = None,
    before: int | None = None,
    limit: int,
) -> list[AuditEntry]:
    """Newest first; None matches all. `status` 4 stands for all of the four hundreds."""
    wanted: list[ColumnElement[bool]] = []
    for column, value in ((audit.c.project, project), (audit.c.name, name), (audit.c.operation, operation)):
        if value is not None:
            wanted.append(column == value)
    if status is not None:
        wanted.append(audit.c.status // 100 == status if status < 10 else audit.c.status == status)
    if since is not None:
        wanted.append(audit.c.at >= since)
    if before is not None:
        wanted.append(audit.c.id < before)
    rows = conn.execute(select(audit).where(*wanted).order_by(audit.c.id.desc()).limit(limit))
    return [AuditEntry.model_validate(dict(row._mapping)) for row in rows]
