"""Pytest fixtures of real servers on loopback, started once per session and only when asked for.

Used as a plugin: `pytest_plugins = ["kargah.testing.fixtures"]`. A server that cannot start is an error, never a skip.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql

from kargah.adapters.minio_store import MinioStore
from kargah.db.migrate import migrate
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.embedded.postgres_roles import ensure_roles
from kargah.testing.servers.rabbitmq import RabbitMQServer

DatabaseUrlFor = Callable[[str], str]

_ROLES = {"gateway": "gateway", "dataset-svc": "dataset_svc", "registry": "registry"}
_PASSWORD = "only-for-tests"
_TEMPLATE = "migrated"
# Nothing here outlives the session, so nothing needs to reach the disk.
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A running Postgres. Tests that stop or break one start their own."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), settings=_FAST)
    try:
        yield server.start()
    finally:
        server.destroy()  # as root its files lie outside of pytest's folder


@pytest.fixture(scope="session")
def migrated_database(postgres: EmbeddedPostgres) -> str:
    """A database with every service's tables, for tests to copy: migrating each anew would take longer than they do."""
    ensure_roles(postgres.superuser_dsn, _TEMPLATE, dict.fromkeys(_ROLES.values(), _PASSWORD))
    for service, role in _ROLES.items():
        migrate(postgres.dsn(_TEMPLATE, role, _PASSWORD), service)
    return _TEMPLATE


@pytest.fixture
def database_url_for(postgres: EmbeddedPostgres, migrated_database: str) -> Iterator[DatabaseUrlFor]:
    """`database_url_for("gateway")`: a URL for that service's role, in this test's own database, migrated.

    Services share the database, as they do in life. An owner that is no service gets an empty schema.
    """
    database = f"test_{secrets.token_hex(6)}"
    _administer(postgres, "CREATE DATABASE {} TEMPLATE {}", database, migrated_database)
    urls: dict[str, str] = {}

    def url_for(owner: str) -> str:
        if owner not in urls:
            role = _ROLES.get(owner, owner)
            ensure_roles(postgres.superuser_dsn, database, {role: _PASSWORD})
            urls[owner] = postgres.dsn(database, role, _PASSWORD)
        return urls[owner]

    yield url_for
    _administer(postgres, "DROP DATABASE IF EXISTS {} WITH (FORCE)", database)


def _administer(postgres: EmbeddedPostgres, statement: LiteralString, *names: str) -> None:
    with psycopg.connect(postgres.superuser_dsn, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@pytest.fixture
def database_url(database_url_for: DatabaseUrlFor) -> str:
    """The URL of a role with an empty schema of its own, in this test's own database."""
    return database_url_for("tester")


@pytest.fixture(scope="session")
def object_store_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedObjectStore]:
    """A running S3 server. Tests that stop or break one start their own."""
    with EmbeddedObjectStore(tmp_path_factory.mktemp("object-store")) as server:
        yield server


@pytest.fixture
def object_store(object_store_server: EmbeddedObjectStore) -> Iterator[MinioStore]:
    """An empty bucket of this test's own, removed at the end: the server has volumes for some dozen at once."""
    store = store_in(object_store_server, f"test-{secrets.token_hex(6)}")
    store.ensure_bucket()
    yield store
    for found in list(store.list("")):
        store.delete(found.key)
    object_store_server.client().remove_bucket(store.bucket)


def store_in(server: EmbeddedObjectStore, bucket: str) -> MinioStore:
    """A store for `bucket`, which need not exist yet."""
    return MinioStore(server.url, server.access_key, server.secret_key, bucket)


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQServer]:
    """A running RabbitMQ. A test may restart it and must leave it running."""
    with RabbitMQServer(tmp_path_factory.mktemp("rabbitmq")) as server:
        yield server
