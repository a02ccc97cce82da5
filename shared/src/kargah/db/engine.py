"""Engines for Postgres, with the limits every service wants. `Engine` and `Connection` are here to be imported."""

from __future__ import annotations

import sqlalchemy
from sqlalchemy import URL, Connection, Engine, make_url

from kargah.db.row_security import SETTING
from kargah.domain.scope import EVERY

__all__ = ["Connection", "Engine", "create_engine", "libpq_url", "sqlalchemy_url"]

_DRIVER = "postgresql+psycopg"
_CONNECT_SECONDS = 5
_POOL_WAIT_SECONDS = 10.0


def create_engine(
    url: str,
    *,
    application_name: str = "kargah",
    statement_timeout_seconds: float | None = 30.0,
    pool_size: int = 10,
    max_overflow: int = 20,
    idle_in_transaction_seconds: float = 60.0,
    unanswered_seconds: float = 30.0,
) -> Engine:
    """An engine for `postgresql://role:password@host:port/database`; connects on first use only.

    A statement longer than `statement_timeout_seconds` is ended by the server (None: never). At most
    `pool_size + max_overflow` connections; a caller waits 10 s for a free one. A client that goes silent within a
    transaction keeps its locks for `idle_in_transaction_seconds`; a server that acknowledges nothing counts as lost
    after `unanswered_seconds`. Every project's rows are shown, unless a unit of work says whose.
    """
    return sqlalchemy.create_engine(
        sqlalchemy_url(url),
        pool_pre_ping=True,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=_POOL_WAIT_SECONDS,
        connect_args={
            "connect_timeout": _CONNECT_SECONDS,
            "application_name": application_name,
            "options": _server_options(statement_timeout_seconds, idle_in_transaction_seconds),
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": int(unanswered_seconds * 1000),
        },
    )


def sqlalchemy_url(url: str) -> URL:
    """`url` for SQLAlchemy with psycopg 3, whether it says `postgres`, `postgresql` or names the driver."""
    parsed = make_url(url.replace("postgres://", "postgresql://", 1) if url.startswith("postgres://") else url)
    if parsed.get_backend_name() != "postgresql":
        raise ValueError(f"a Postgres URL is needed, not {parsed.get_backend_name()}://")
    return parsed.set(drivername=_DRIVER)


def libpq_url(url: str) -> str:
    """`url` as psycopg itself takes it."""
    return sqlalchemy_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _server_options(statement_timeout_seconds: float | None, idle_in_transaction_seconds: float) -> str:
    milliseconds = 0 if statement_timeout_seconds is None else int(statement_timeout_seconds * 1000)
    settings = {
        "statement_timeout": milliseconds,
        "idle_in_transaction_session_timeout": int(idle_in_transaction_seconds * 1000),
        "timezone": "UTC",
        SETTING: EVERY,
        # Compiling takes longer than any statement here: the planner takes row-level security for very dear.
        "jit": "off",
    }
    return " ".join(f"-c {name}={value}" for name, value in settings.items())
