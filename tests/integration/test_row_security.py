"""The scope reaches Postgres with each unit of work, and stays with no connection."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from kargah.db.engine import Engine, create_engine
from kargah.db.row_security import NEW_ROW_PROJECT, by_column, by_parent, without
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.scope import EVERY, NOBODY, project_scope
from kargah.embedded.postgres import EmbeddedPostgres

_ACCESS = ("audit", "counts", "keys", "memberships", "projects", "sessions", "users")
# Rows of no project: what every project may know.
COMMON: dict[str, set[str]] = {
    "gateway": {"recipes", "workers"} | {f"access_{name}" for name in _ACCESS},
    "dataset_svc": set(),
    "registry": {"blobs", "mirrored", "xorbs", "xorb_places", "fetches", "fetch_parts"},
}
_TABLES = (
    f"CREATE TABLE things (name text, project text NOT NULL DEFAULT {NEW_ROW_PROJECT}, PRIMARY KEY (project, name))",
    "CREATE TABLE parts (id text PRIMARY KEY, thing text NOT NULL)",
    *by_column("things"),
    *by_parent("parts", "thing", "things", "name"),
)
_SCOPES = st.sampled_from(["one", "other", EVERY, NOBODY])


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """One connection, which whoever comes next gets."""
    found = create_engine(database_url, pool_size=1, max_overflow=0)
    with UnitOfWork(found) as tx:
        for statement in _TABLES:
            tx.connection.execute(text(statement))
    for project in ("one", "other"):
        with project_scope(project):
            _do(found, "INSERT INTO things (name) VALUES ('same')")
            _do(found, f"INSERT INTO things (name) VALUES ('{project}')")
            _do(found, f"INSERT INTO parts VALUES ('of {project}', '{project}')")
    yield found
    found.dispose()


def _do(engine: Engine, statement: str) -> None:
    with UnitOfWork(engine) as tx:
        tx.connection.execute(text(statement))


def _seen(engine: Engine) -> list[str]:
    with UnitOfWork(engine) as tx:
        return list(tx.connection.scalars(text("SELECT project FROM things ORDER BY project")))


EXPECTED = {"one": ["one"] * 2, "other": ["other"] * 2, EVERY: ["one"] * 2 + ["other"] * 2, NOBODY: []}


def test_rows_are_made_in_the_scopes_project(engine: Engine) -> None:
    assert _seen(engine) == EXPECTED[EVERY]
    _do(engine, "INSERT INTO things (name) VALUES ('of nobody in particular')")
    assert _seen(engine) == ["local", *EXPECTED[EVERY]]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scopes=st.lists(st.tuples(_SCOPES, st.booleans()), min_size=2, max_size=6))
def test_a_pooled_connection_carries_no_scope_over(engine: Engine, scopes: list[tuple[str, bool]]) -> None:
    for scope, breaks in scopes:
        with project_scope(scope):
            assert _seen(engine) == EXPECTED[scope]
            if breaks:
                with pytest.raises(KeyError), UnitOfWork(engine):
                    raise KeyError(scope)
    assert _seen(engine) == EXPECTED[EVERY]


def test_each_thread_has_its_own_scope(engine: Engine) -> None:
    ready = threading.Barrier(3)

    def look(scope: str) -> bool:
        ready.wait(10)
        with project_scope(scope):
            return all(_seen(engine) == EXPECTED[scope] for _ in range(20))

    with ThreadPoolExecutor(3) as pool:
        assert all(pool.map(look, ("one", "other", EVERY)))


def test_children_are_seen_with_their_parent(engine: Engine) -> None:
    for scope, count in (("one", 1), ("other", 1), (EVERY, 2), (NOBODY, 0)):
        with project_scope(scope), UnitOfWork(engine) as tx:
            assert tx.connection.scalar(text("SELECT count(*) FROM parts")) == count


def test_it_can_be_undone(engine: Engine) -> None:
    for statement in without("things"):
        _do(engine, statement)
    with project_scope("one"):
        assert _seen(engine) == EXPECTED[EVERY]


def test_every_table_has_it_that_is_not_common(postgres: EmbeddedPostgres, migrated_database: str) -> None:
    query = (
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY(%s) AND c.relname <> 'alembic_version' "
        "AND NOT (c.relrowsecurity AND c.relforcerowsecurity)"
    )
    with psycopg.connect(postgres.superuser_dsn, dbname=migrated_database) as connection:
        found = connection.execute(query, [list(COMMON)]).fetchall()
    open_to_all: dict[str, set[str]] = {schema: set() for schema in COMMON}
    for schema, table in found:
        open_to_all[schema].add(table)
    assert open_to_all == COMMON
