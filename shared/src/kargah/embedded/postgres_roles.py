"""Databases, login roles and schemas: one schema per owner, closed to everyone else unless granted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import LiteralString

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import make_conninfo

_Connection = Connection[tuple[object, ...]]
# What a connection sees that does not say for which project it works: psql, a dump, a release from before projects.
_SEES_ALL: LiteralString = "ALTER ROLE {role} IN DATABASE {database} SET kargah.project = '*'"
# Password hashes, keys, sessions: for their owner alone, whatever else of its schema others may read.
_PRIVATE = "access\\_%"


def ensure_roles(superuser_dsn: str, database: str, owners: Mapping[str, str]) -> None:
    """Make `database`, and for each owner (role name -> password) a login role with a schema of its name.

    Each role finds its own schema first and cannot look into another's; nobody else may connect. Safe to
    repeat: passwords are set anew, existing tables stay.
    """
    with psycopg.connect(superuser_dsn, autocommit=True) as connection:
        _ensure_database(connection, database)
    with psycopg.connect(_in_database(superuser_dsn, database)) as connection:
        _close_to_public(connection, database)
        for role, password in owners.items():
            _ensure_login(connection, role, password)
            _ensure_schema(connection, database, role)


def grant_tables(superuser_dsn: str, database: str, *, role: str, schema: str) -> None:
    """Let `role` read and write the rows of `schema`, in tables that exist and in those its owner adds later.

    It may not change their shape. Unqualified names are looked up in its own schema, then in `schema`.
    """
    names = {"role": sql.Identifier(role), "schema": sql.Identifier(schema), "owner": sql.Identifier(schema)}
    path = sql.SQL("ALTER ROLE {role} IN DATABASE {database} SET search_path = {role}, {schema}")
    with psycopg.connect(_in_database(superuser_dsn, database)) as connection:
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {schema} TO {role}").format(**names))
        for kind, rights in (("TABLES", "SELECT, INSERT, UPDATE, DELETE"), ("SEQUENCES", "USAGE, SELECT")):
            words = {**names, "kind": sql.SQL(kind), "rights": sql.SQL(rights)}
            now = "GRANT {rights} ON ALL {kind} IN SCHEMA {schema} TO {role}"
            later = "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} GRANT {rights} ON {kind} TO {role}"
            connection.execute(sql.SQL(now).format(**words))
            connection.execute(sql.SQL(later).format(**words))
        _keep_private(connection, schema, role)
        connection.execute(path.format(**names, database=sql.Identifier(database)))


def ensure_reader(superuser_dsn: str, database: str, *, role: str, password: str, schema: str) -> None:
    """Make a login role that may read the tables of `schema`, those of later on too, and do nothing else: for
    dashboards. A query of more than 30 s is ended. Safe to repeat."""
    names = {name: sql.Identifier(text) for name, text in (("role", role), ("schema", schema), ("database", database))}
    with psycopg.connect(_in_database(superuser_dsn, database)) as connection:
        _ensure_login(connection, role, password)
        for statement in (
            "GRANT CONNECT ON DATABASE {database} TO {role}",
            "GRANT USAGE ON SCHEMA {schema} TO {role}",
            "GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}",
            "ALTER DEFAULT PRIVILEGES FOR ROLE {schema} IN SCHEMA {schema} GRANT SELECT ON TABLES TO {role}",
            "ALTER ROLE {role} IN DATABASE {database} SET search_path = {schema}",
            _SEES_ALL,
            "ALTER ROLE {role} IN DATABASE {database} SET default_transaction_read_only = on",
            "ALTER ROLE {role} IN DATABASE {database} SET statement_timeout = '30s'",
        ):
            connection.execute(sql.SQL(statement).format(**names))
        _keep_private(connection, schema, role)


def _keep_private(connection: _Connection, schema: str, role: str) -> None:
    """Take back what a grant on all tables gave too much."""
    question = "SELECT tablename FROM pg_tables WHERE schemaname = %s AND tablename LIKE %s"
    for (table,) in connection.execute(question, [schema, _PRIVATE]).fetchall():
        statement = sql.SQL("REVOKE ALL ON {} FROM {}")
        connection.execute(statement.format(sql.Identifier(schema, str(table)), sql.Identifier(role)))


def _in_database(dsn: str, database: str) -> str:
    return make_conninfo(dsn, dbname=database)


def _ensure_database(connection: _Connection, database: str) -> None:
    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
        # Whatever the server was initialised with: texts are of every language here.
        statement = sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0")
        connection.execute(statement.format(sql.Identifier(database)))


def _close_to_public(connection: _Connection, database: str) -> None:
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database)))
    connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")


def _ensure_login(connection: _Connection, role: str, password: str) -> None:
    """Create the role or set its password, hashed on this side: the server's log never sees it."""
    exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    verb = sql.SQL("ALTER" if exists else "CREATE")
    hashed = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    statement = sql.SQL("{} ROLE {} LOGIN PASSWORD {}")
    connection.execute(statement.format(verb, sql.Identifier(role), sql.Literal(hashed)))


def _ensure_schema(connection: _Connection, database: str, role: str) -> None:
    names = {"role": sql.Identifier(role), "database": sql.Identifier(database)}
    for statement in (
        "GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {role}",
        "CREATE SCHEMA IF NOT EXISTS {role} AUTHORIZATION {role}",
        "ALTER ROLE {role} IN DATABASE {database} SET search_path = {role}",
        _SEES_ALL,
    ):
        connection.execute(sql.SQL(statement).format(**names))
