"""Counts within windows of time, shared by all gateways."""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, text
from sqlalchemy.dialects.postgresql import insert

from gateway.access.tables import counts


def add(conn: Connection, what: str, key: str, window_seconds: int, number: int = 1) -> tuple[int, float]:
    """How many there are with these in the window at hand, by the database's clock, and the seconds until it ends."""
    conn.execute(text("SET LOCAL synchronous_commit = off"))
    now = func.extract("epoch", func.now())
    ends = func.to_timestamp((func.floor(now / window_seconds) + 1) * window_seconds)
    statement = insert(counts).values(what=what, key=key, ends_at=ends, number=number)
    statement = statement.on_conflict_do_update(
        index_elements=[counts.c.what, counts.c.key, counts.c.ends_at], set_={"number": counts.c.number + number}
    )
    left = func.extract("epoch", counts.c.ends_at - func.now())
    row = conn.execute(statement.returning(counts.c.number, left)).one()
    return int(row[0]), float(row[1])


def forget(conn: Connection, what: str, key: str) -> None:
    """Begin anew."""
    conn.execute(delete(counts).where(counts.c.what == what, counts.c.key == key))


def remove_old(conn: Connection) -> None:
    """Windows that are over."""
    conn.execute(delete(counts).where(counts.c.ends_at < func.now()))
