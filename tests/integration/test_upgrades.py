"""Upgrades under traffic: each step of each service on tables with data, what it locks, and that an older release can
still write afterwards."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, text

from kargah.contracts.jobs import JobConfig
from kargah.db.engine import create_engine, libpq_url
from kargah.db.migrate import migrate_folder, steps, upgrade, versions_folder
from kargah.db.row_security import SETTING
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.embedded.postgres_roles import ensure_roles
from kargah.testing.fixtures import DatabaseUrlFor

PAGE = Path(__file__).parents[2] / "docs" / "upgrades.md"
_SERVICES = {"gateway": "gateway", "dataset-svc": "dataset_svc", "registry": "registry"}
# Taken when there was one release only.
_TAKEN = {"blobs.weights"}
# What stops readers or writers of a table, from the weakest on; the others stop nobody at work.
_HINDERING = ("ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock")
_LOCKS = """
    SELECT found.relname, lock.mode FROM pg_locks AS lock JOIN pg_class AS found ON found.oid = lock.relation
    WHERE lock.pid = pg_backend_pid() AND found.relkind = 'r' AND found.relnamespace = current_schema()::regnamespace
"""
_FILES = """
    SELECT relname, pg_relation_filenode(oid) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
"""
_COLUMNS = """
    SELECT table_name || '.' || column_name, is_nullable = 'YES' OR column_default IS NOT NULL
    FROM information_schema.columns WHERE table_schema = current_schema() AND table_name <> 'alembic_version'
"""
_ROWS = {
    "gateway": "INSERT INTO jobs (id, kind, name, config) VALUES ('j', 'train', 'n', '{}')",
    "dataset-svc": "INSERT INTO datasets (id, name) VALUES ('d', 'n')",
    "registry": "INSERT INTO models (id, name) VALUES ('m', 'n')",
}


@pytest.fixture
def old_database(postgres: EmbeddedPostgres, database_url_for: DatabaseUrlFor) -> Callable[[str], str]:
    """`old_database("gateway")`: the URL of that role with nothing in its schema."""

    def url_of(service: str) -> str:
        url = database_url_for(service)
        role = _SERVICES[service]
        name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
        with psycopg.connect(postgres.superuser_dsn, dbname=name) as connection:
            connection.execute(f"DROP SCHEMA {role} CASCADE".encode())
        ensure_roles(postgres.superuser_dsn, str(name), {role: "only-for-tests"})
        return url

    return url_of


@pytest.mark.parametrize("service", _SERVICES)
def test_every_step_keeps_data_adds_only_and_locks_what_the_page_says(
    service: str, old_database: Callable[[str], str]
) -> None:
    versions = versions_folder(service)
    engine = create_engine(old_database(service))
    page, newest = _on_the_page(service)
    told: dict[str, str] = {}
    try:
        for number, step in enumerate(steps(versions)):
            with engine.begin() as connection:
                connection.execute(text(f"SET LOCAL {SETTING} = '*'"))
                before, files = _pairs(connection, _COLUMNS), _pairs(connection, _FILES)
                upgrade(connection, versions, step)
                after, rewritten = _pairs(connection, _COLUMNS), _rewritten(files, _pairs(connection, _FILES))
                told |= {f"{step} {table}": mode for table, mode in _locked(connection, set(files)).items()}
                if step <= newest:
                    _require_additive(step, before, after)
                    assert rewritten == set(), f"{step} writes whole tables anew while nobody can use them"
                connection.execute(text(_ROWS[service].replace("'n'", f"'n{number}'").replace("('", f"('{number}")))
        with engine.connect() as connection:
            table = _ROWS[service].split()[2]
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() == len(steps(versions))
    finally:
        engine.dispose()
    assert {place: mode for place, mode in told.items() if place.partition(" ")[0] <= newest} == page


def _pairs(connection: Connection, statement: str) -> dict[str, object]:
    return {str(name): value for name, value in connection.execute(text(statement))}


def _rewritten(before: dict[str, object], after: dict[str, object]) -> set[str]:
    return {table for table, file in before.items() if after.get(table) != file and table != "alembic_version"}


def _locked(connection: Connection, tables: set[str]) -> dict[str, str]:
    """Of the tables that were there before: the strongest lock that stops somebody."""
    found: dict[str, str] = {}
    for table, mode in connection.execute(text(_LOCKS)):
        if table in tables and mode in _HINDERING:
            found[table] = max(found.get(table, mode), mode, key=_HINDERING.index)
    return found


def _require_additive(step: str, before: dict[str, object], after: dict[str, object]) -> None:
    """A release before this step neither misses a column nor has to fill a new one."""
    tables = {name.partition(".")[0] for name in before}
    assert before.keys() - after.keys() - _TAKEN == set(), f"{step} takes columns away"
    new = {name: may for name, may in after.items() if name not in before and name.partition(".")[0] in tables}
    assert {name for name, may_be_left_out in new.items() if not may_be_left_out} == set(), step


def _on_the_page(service: str) -> tuple[dict[str, str], str]:
    """What it says of each step and table, and the newest step that it speaks of: later ones are not released yet."""
    rows = re.findall(rf"^\| {service} \| (\d+) \| `(\w+)` \| (\w+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows
    return {f"{step} {table}": mode for step, table, mode in rows}, max(step for step, _table, _mode in rows)


def test_a_step_does_not_hold_up_everybody_while_it_waits(database_url: str, tmp_path: Path) -> None:
    head = 'revision = "{0}"\ndown_revision = {1!r}\nbranch_labels = None\ndepends_on = None\nfrom alembic import op\n'
    for number, earlier, statement in (("1", None, "CREATE TABLE t (a int)"), ("2", "1", "ALTER TABLE t ADD b int")):
        body = f"\n\ndef upgrade():\n    op.execute({statement!r})\n"
        (tmp_path / f"{number}_step.py").write_text(head.format(number, earlier) + body)
    migrate_folder(database_url, tmp_path, "1")
    with psycopg.connect(libpq_url(database_url)) as reader, psycopg.connect(libpq_url(database_url)) as watcher:
        reader.execute("SELECT * FROM t")  # a long query holds its lock until its transaction ends
        migrating = threading.Thread(target=migrate_folder, args=(database_url, tmp_path), kwargs={"lock_seconds": 1.0})
        migrating.start()
        watcher.autocommit = True
        watcher.execute("SET lock_timeout = '20s'")
        _wait_until_waiting(watcher)
        watcher.execute("SELECT * FROM t")  # comes behind the step that waits, and gets its turn when that gives up
        reader.rollback()
    migrating.join(timeout=60)
    with psycopg.connect(libpq_url(database_url)) as connection:
        assert connection.execute("SELECT b FROM t").fetchall() == []


def _wait_until_waiting(watcher: psycopg.Connection[tuple[object, ...]]) -> None:
    question = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 't'::regclass"
    deadline = time.monotonic() + 60
    while not watcher.execute(question).fetchall():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_job_of_a_newer_gateway_is_read_by_an_older_worker() -> None:
    """What an older release does not know it leaves alone; what it needs has stayed."""
    config = {"recipe": "sft", "params": {"epochs": 1}, "ofALaterRelease": {"a": 1}}
    assert JobConfig.model_validate(config).params == {"epochs": 1}
