"""Sessions: a refresh token that changes with every use, and what happens when an old one comes again."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from gateway.access.tables import sessions

_LIVES = (sessions.c.ended_at.is_(None), sessions.c.expires_at > func.now())


def begin(conn: Connection, session_id: str, user_id: str, digest: bytes, life: timedelta) -> None:
    """A new session; what has long been over goes."""
    conn.execute(delete(sessions).where(sessions.c.expires_at < func.now()))
    values = {"id": session_id, "user_id": user_id, "digest": digest, "expires_at": func.now() + life}
    conn.execute(insert(sessions).values(**values))


def user_of(conn: Connection, session_id: str) -> str | None:
    """Whose session it is, while it lasts."""
    return conn.execute(select(sessions.c.user_id).where(sessions.c.id == session_id, *_LIVES)).scalar_one_or_none()


def digests(conn: Connection, session_id: str) -> tuple[str, bytes, bytes | None] | None:
    """The user, the digest of the refresh token and of the one before; the row stays locked."""
    statement = select(sessions).where(sessions.c.id == session_id, *_LIVES).with_for_update()
    row = conn.execute(statement).one_or_none()
    return (row.user_id, row.digest, row.earlier_digest) if row is not None else None


def renew(conn: Connection, session_id: str, digest: bytes) -> None:
    """The next refresh token."""
    values = {"earlier_digest": sessions.c.digest, "digest": digest}
    conn.execute(update(sessions).where(sessions.c.id == session_id).values(**values))


def end(conn: Connection, session_id: str) -> None:
    """It is over."""
    conn.execute(update(sessions).where(sessions.c.id == session_id).values(ended_at=func.now()))
