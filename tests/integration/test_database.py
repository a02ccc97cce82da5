"""The unit of work and migrations on a real Postgres."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from kargah.db.engine import Engine, create_engine, libpq_url, sqlalchemy_url
from kargah.db.migrate import PACKAGES, heads, main, migrate_folder, versions_folder
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import NotFound, Unavailable
from kargah.embedded.ports import free_port
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.testing.fixtures import DatabaseUrlFor

FIRST = """
from alembic import op
revision = "0001"
down_revision = None
def upgrade():
    op.execute("CREATE TABLE things (name text PRIMARY KEY)")
    op.execute("SELECT pg_sleep(0.3)")
"""
SECOND = """
from alembic import op
revision = "0002"
down_revision = "0001"
def upgrade():
    op.execute("INSERT INTO things VALUES ('a')")
    op.execute("{statement}")
"""


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    found = create_engine(database_url, statement_timeout_seconds=1)
    with UnitOfWork(found) as tx:
        tx.connection.execute(text("CREATE TABLE kept (name text PRIMARY KEY)"))
    yield found
    found.dispose()


def _insert(engine: Engine, name: str) -> None:
    with UnitOfWork(engine) as tx:
        tx.connection.execute(text("INSERT INTO kept VALUES (:name)"), {"name": name})


def _names(engine: Engine) -> list[str]:
    with UnitOfWork(engine) as tx:
        return list(tx.connection.scalars(text("SELECT name FROM kept ORDER BY name")))


class TestUnitOfWork:
    def test_it_commits_at_the_end(self, engine: Engine) -> None:
        _insert(engine, "a")
        assert _names(engine) == ["a"]

    @pytest.mark.parametrize("error", [NotFound("no"), KeyError("x"), KeyboardInterrupt()])
    def test_any_error_rolls_back_and_passes(self, engine: Engine, error: BaseException) -> None:
        with pytest.raises(type(error)), UnitOfWork(engine) as tx:
            tx.connection.execute(text("INSERT INTO kept VALUES ('a')"))
            raise error
        assert _names(engine) == []

    def test_faults_of_the_statement_pass_as_they_are(self, engine: Engine) -> None:
        _insert(engine, "a")
        with pytest.raises(IntegrityError):
            _insert(engine, "a")
        with pytest.raises(ProgrammingError), UnitOfWork(engine) as tx:
            tx.connection.execute(text("SELECT nonsense"))

    def test_a_slow_statement_is_unavailable(self, engine: Engine) -> None:
        with pytest.raises(Unavailable), UnitOfWork(engine) as tx:
            tx.connection.execute(text("SELECT pg_sleep(5)"))
        assert _names(engine) == []

    def test_a_cut_connection_is_unavailable_once(self, engine: Engine, postgres: EmbeddedPostgres) -> None:
        with pytest.raises(Unavailable), UnitOfWork(engine) as tx:
            tx.connection.execute(text("INSERT INTO kept VALUES ('a')"))
            backend = tx.connection.scalar(text("SELECT pg_backend_pid()"))
            with psycopg.connect(postgres.superuser_dsn, autocommit=True) as admin:
                admin.execute("SELECT pg_terminate_backend(%s)", [backend])
            tx.connection.execute(text("SELECT 1"))
        assert _names(engine) == []

    def test_a_serialization_failure_is_unavailable(self, engine: Engine) -> None:
        _insert(engine, "a")
        with pytest.raises(Unavailable), UnitOfWork(engine) as first:
            first.connection.execute(text("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"))
            first.connection.execute(text("SELECT name FROM kept"))
            with UnitOfWork(engine) as second:
                second.connection.execute(text("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"))
                second.connection.execute(text("UPDATE kept SET name = 'b'"))
            first.connection.execute(text("UPDATE kept SET name = 'c'"))
        assert _names(engine) == ["b"]

    def test_no_database_is_unavailable(self) -> None:
        nowhere = create_engine(f"postgresql://me:pw@127.0.0.1:{free_port()}/none")
        with pytest.raises(Unavailable) as caught, UnitOfWork(nowhere):
            pass
        assert "pw" not in str(caught.value)

    def test_the_connection_is_there_inside_only(self, engine: Engine) -> None:
        unit = UnitOfWork(engine)
        with pytest.raises(RuntimeError):
            _ = unit.connection
        with unit:
            assert unit.connection is not None
        with pytest.raises(RuntimeError):
            _ = unit.connection


class TestUrls:
    @pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
    def test_any_spelling_of_postgres_is_taken(self, scheme: str) -> None:
        url = f"{scheme}://me:p%40w@host:5432/db"
        assert sqlalchemy_url(url).drivername == "postgresql+psycopg"
        assert libpq_url(url) == "postgresql://me:p%40w@host:5432/db"

    def test_another_database_is_refused(self) -> None:
        with pytest.raises(ValueError, match="sqlite"):
            create_engine("sqlite:///x.db")


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    folder = tmp_path / "with 100% odd name" / "versions"
    folder.mkdir(parents=True)
    (folder / "0001_first.py").write_text(FIRST)
    return folder


def _tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()").fetchall()
    return {name for (name,) in rows}


class TestMigrate:
    def test_steps_are_applied_once(self, database_url: str, versions: Path) -> None:
        migrate_folder(database_url, versions)
        migrate_folder(database_url, versions)
        assert _tables(database_url) == {"things", "alembic_version"}
        assert heads(versions) == ["0001"]

    def test_several_starters_wait_for_each_other(self, database_url: str, versions: Path) -> None:
        failures: list[BaseException] = []

        def start() -> None:
            try:
                migrate_folder(database_url, versions)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=start) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert "things" in _tables(database_url)

    def test_a_failing_step_leaves_nothing(self, database_url: str, versions: Path) -> None:
        second = versions / "0002_second.py"
        second.write_text(SECOND.format(statement="SELECT nonsense"))
        with pytest.raises(ProgrammingError):
            migrate_folder(database_url, versions)
        assert _tables(database_url) == set()
        second.write_text(SECOND.format(statement="SELECT 1"))
        migrate_folder(database_url, versions)
        with psycopg.connect(database_url) as connection:
            assert connection.execute("SELECT name FROM things").fetchall() == [("a",)]

    @pytest.mark.parametrize("service", PACKAGES)
    def test_every_service_has_one_head_and_migrates(self, service: str, database_url_for: DatabaseUrlFor) -> None:
        assert len(heads(versions_folder(service))) == 1
        assert "alembic_version" in _tables(database_url_for(service))

    def test_the_command_names_the_services(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main([]) == 2
        assert main(["studio"]) == 2
        assert "gateway|dataset-svc|registry" in capsys.readouterr().err
        with pytest.raises(LookupError, match="gateway"):
            versions_folder("studio")

    def test_the_command_reads_the_environment(
        self, database_url_for: DatabaseUrlFor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("KARGAH_DATABASE_URL", database_url_for("gateway"))
        assert main(["gateway"]) == 0
        assert "up to date" in capsys.readouterr().out

    def test_the_command_takes_a_url_for_each_service(
        self, database_url_for: DatabaseUrlFor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.delenv("KARGAH_DATABASE_URL", raising=False)
        urls = {service: database_url_for(service) for service in PACKAGES}
        monkeypatch.setenv("KARGAH_DATABASE_URLS", json.dumps(urls))
        assert main(list(PACKAGES)) == 0
        assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == list(PACKAGES)
