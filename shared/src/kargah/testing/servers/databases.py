"""Databases with every service's tables, lent to one test after the other: copying one takes ten times as long as
emptying one."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from kargah.embedded.postgres import EmbeddedPostgres
from kargah.embedded.postgres_roles import ensure_roles

_LARGEST_BYTES = 1 << 20  # what a test left much in is dropped
_LIVE = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname = ANY(%s) AND c.relname <> 'alembic_version' AND pg_relation_size(c.oid) > 0
"""
_USED_SEQUENCES = """
SELECT format('%%I.%%I', schemaname, sequencename), last_value FROM pg_sequences
WHERE schemaname = ANY(%s) AND last_value IS NOT NULL
"""
_END_OTHERS = """
SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_CATALOGS = (
    "pg_class", "pg_attribute", "pg_attrdef", "pg_constraint", "pg_index", "pg_namespace", "pg_policy", "pg_proc",
    "pg_rewrite", "pg_trigger", "pg_type", "pg_default_acl", "pg_extension",
)  # fmt: skip


class Databases:
    """`template` is copied where none is left; `roles` (with `password`) own a schema in each.

    A database comes back empty and under another name, so that what still writes to the old address meets nobody.
    One whose tables, rights or settings a test has changed is dropped.
    """

    def __init__(self, postgres: EmbeddedPostgres, template: str, roles: Mapping[str, str]) -> None:
        self._postgres = postgres
        self._template = template
        self._roles = roles
        self._spare: list[str] = []
        self._shapes: dict[str, Any] = {}
        self._seeds: dict[str, bytes] | None = None  # what migrations leave in tables, to be put there again
        self._counted: dict[str, int] = {}  # and in sequences

    def lend(self) -> str:
        """The name of one that nobody else has."""
        return self._spare.pop() if self._spare else self._copied()

    def take_back(self, name: str) -> None:
        """End all connections to it; empty it for the next, or drop it."""
        shape = self._shapes.pop(name)
        if self._emptied(name, shape):
            renamed = _fresh_name()
            self._administer("ALTER DATABASE {} RENAME TO {}", name, renamed)
            self._shapes[renamed] = shape
            self._spare.append(renamed)
        else:
            self._administer("DROP DATABASE {} WITH (FORCE)", name)

    def _copied(self) -> str:
        name = _fresh_name()
        self._administer("CREATE DATABASE {} TEMPLATE {}", name, self._template)
        ensure_roles(self._postgres.superuser_dsn, name, self._roles)
        with self._connected(name) as connection:
            if self._seeds is None:
                self._seeds = {table: _rows(connection, table) for table in self._live(connection)}
                self._counted = dict(self._used_sequences(connection))
            self._shapes[name] = _shape(connection)
        return name

    def _emptied(self, name: str, shape: Any) -> bool:
        with self._connected(name) as connection:
            connection.execute(_END_OTHERS)
            if _shape(connection) != shape:
                return False
            connection.execute("SET session_replication_role = replica")  # no trigger, no order among the tables
            for table in self._live(connection):
                connection.execute(sql.SQL("DELETE FROM ") + sql.SQL(table))
            for sequence, _ in self._used_sequences(connection):
                used = self._counted.get(sequence)
                connection.execute("SELECT setval(%s, %s, %s)", [sequence, used or 1, used is not None])
            for table, rows in (self._seeds or {}).items():
                with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(sql.SQL(table))) as copy:
                    copy.write(rows)
        return True

    def _live(self, connection: psycopg.Connection[tuple[Any, ...]]) -> list[str]:
        """Tables that have, or had, rows."""
        return [row[0] for row in connection.execute(_LIVE, [list(self._roles)]).fetchall()]

    def _used_sequences(self, connection: psycopg.Connection[tuple[Any, ...]]) -> list[tuple[str, int]]:
        return [(row[0], row[1]) for row in connection.execute(_USED_SEQUENCES, [list(self._roles)]).fetchall()]

    def _connected(self, name: str) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(make_conninfo(self._postgres.superuser_dsn, dbname=name), autocommit=True)

    def _administer(self, statement: LiteralString, *names: str) -> None:
        with psycopg.connect(self._postgres.superuser_dsn, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _rows(connection: psycopg.Connection[tuple[Any, ...]], table: str) -> bytes:
    """All rows of the table, as COPY writes them."""
    with connection.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.SQL(table))) as copy:
        return b"".join(bytes(part) for part in copy)


def _fresh_name() -> str:
    return f"test_{secrets.token_hex(6)}"


def _shape(connection: psycopg.Connection[tuple[Any, ...]]) -> Any:
    """What changes whenever tables, functions, rights or settings of the database do, and when it has grown large."""
    counts = ", ".join(f"(SELECT (count(*), max(xmin::text::bigint))::text FROM {name})" for name in _CATALOGS)
    own = (
        "(SELECT (datacl, datconnlimit, datallowconn, datdba)::text FROM pg_database "
        "WHERE datname = current_database()), "
        "(SELECT array_agg((setrole, setconfig)::text ORDER BY setrole) FROM pg_db_role_setting s "
        "JOIN pg_database d ON d.oid = s.setdatabase WHERE d.datname = current_database())"
    )
    large = f"EXISTS (SELECT 1 FROM pg_class WHERE relkind = 'r' AND pg_relation_size(oid) > {_LARGEST_BYTES})"
    return connection.execute(f"SELECT {counts}, {own}, {large}").fetchone()
