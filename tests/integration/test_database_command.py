"""`kargah database` on a Postgres of its own: it sets the roles' passwords, which other tests use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from kargah.cli.main import app
from kargah.embedded.postgres import EmbeddedPostgres


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path)
    try:
        yield server.start()
    finally:
        server.destroy()


def _run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["database", *arguments])
    return result.exit_code, result.output


def _tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {
            str(row[0]) for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname <> 'public'")
        }


def _passwords_are_the_gateways_alone(urls: dict[str, str]) -> None:
    """Whatever else of the gateway's tables another role may read."""
    with psycopg.connect(urls["gateway"]) as connection:
        private = sorted(name for name in _tables(urls["gateway"]) if name.startswith("access_"))
        assert "access_users" in private
        for table in private:
            connection.execute(f"SELECT count(*) FROM {table}".encode())
    for role, url in urls.items():
        for table in private if role != "gateway" else []:
            with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT count(*) FROM gateway.{table}".encode())


def test_roles_and_tables_are_made_and_a_second_call_only_changes_passwords(own_postgres: EmbeddedPostgres) -> None:
    status, output = _run(own_postgres.superuser_dsn, "--name", "mine", "--json")
    assert status == 0, output
    urls: dict[str, str] = json.loads(output)
    assert set(urls) == {"gateway", "dataset_svc", "registry", "worker"}
    assert {"jobs", "datasets", "models"} <= _tables(urls["gateway"])
    with psycopg.connect(urls["worker"]) as connection:
        assert connection.execute("SELECT count(*) FROM jobs").fetchone() == (0,)
    _passwords_are_the_gateways_alone(urls)
    with psycopg.connect(urls["registry"]) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT count(*) FROM gateway.jobs")
    status, output = _run(own_postgres.superuser_dsn, "--name", "mine")
    assert status == 0 and output.count("KARGAH_DATABASE_URL=postgresql://") == 4
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(urls["worker"])


def test_a_refusal_is_one_clear_line() -> None:
    status, output = _run("postgresql://nobody:wrong@127.0.0.1:9/postgres?connect_timeout=2")
    assert status == 1 and "refused" in output


def test_given_passwords_stay_and_the_reader_only_reads(own_postgres: EmbeddedPostgres) -> None:
    passwords = [f"--password={role}=kept-{role}" for role in ("gateway", "dataset_svc", "registry", "worker")]
    for _ in range(2):
        status, output = _run(own_postgres.superuser_dsn, *passwords, "--password", "grafana=kept-grafana", "--json")
        assert status == 0, output
        assert json.loads(output) == {}, "a password that was given is printed"
    place = own_postgres.superuser_dsn.rpartition("@")[2].partition("/")[0]
    with psycopg.connect(f"postgresql://worker:kept-worker@{place}/kargah") as connection:
        assert connection.execute("SELECT count(*) FROM jobs").fetchone() == (0,)
    roles = ("gateway", "worker", "grafana")
    _passwords_are_the_gateways_alone({role: f"postgresql://{role}:kept-{role}@{place}/kargah" for role in roles})
    with psycopg.connect(f"postgresql://grafana:kept-grafana@{place}/kargah", autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM jobs").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT count(*) FROM registry.models")
        connection.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM jobs")


@pytest.mark.parametrize("option", ["nobody=x", "gateway", "gateway="])
def test_a_password_for_no_role_and_one_that_is_missing_are_wrong_usage(option: str) -> None:
    status, output = _run("postgresql://nobody:wrong@127.0.0.1:9/postgres", "--password", option)
    assert status == 2 and "ROLE=PASSWORD" in output


def test_a_role_is_named_once() -> None:
    status, output = _run("postgresql://x@127.0.0.1:9/x", "--password", "worker=a", "--password", "worker=b")
    assert status == 2 and "ROLE=PASSWORD" in output
