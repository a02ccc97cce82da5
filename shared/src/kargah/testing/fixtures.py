"""Pytest fixtures of real servers on loopback, started once per session and only when asked for.

Used as a plugin: `pytest_plugins = ["kargah.testing.fixtures"]`. A server that cannot start is an error, never a skip.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest

from kargah.adapters.minio_store import MinioStore
from kargah.db.migrate import migrate
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.embedded.postgres_roles import ensure_roles
from kargah.testing.servers.buckets import Buckets
from kargah.testing.servers.databases import Databases
from kargah.testing.servers.rabbitmq import RabbitMQServer

DatabaseUrlFor = Callable[[str], str]

_ROLES = {"gateway": "gateway", "dataset-svc": "dataset_svc", "registry": "registry"}
_PASSWORD = "only-for-tests"
_TEMPLATE = "migrated"
# Nothing here outlives the session, so nothing needs to reach the disk, and no password to withstand guessing.
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "scram_iterations": "1"}


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


@pytest.fixture(scope="session")
def databases(postgres: EmbeddedPostgres, migrated_database: str) -> Databases:
    """Migrated databases for whoever needs one."""
    return Databases(postgres, migrated_database, dict.fromkeys(_ROLES.values(), _PASSWORD))


@pytest.fixture
def database_url_for(postgres: EmbeddedPostgres, databases: Databases) -> Iterator[DatabaseUrlFor]:
    """`database_url_for("gateway")`: a URL for that service's role, in this test's own database, migrated.

    Services share the database, as they do in life. An owner that is no service gets an empty schema.
    """
    with _lent(postgres, databases) as url_for:
        yield url_for


@pytest.fixture
def another_database_url_for(postgres: EmbeddedPostgres, databases: Databases) -> Iterator[DatabaseUrlFor]:
    """The same for a second platform of the test's own."""
    with _lent(postgres, databases) as url_for:
        yield url_for


@contextmanager
def _lent(postgres: EmbeddedPostgres, databases: Databases) -> Iterator[DatabaseUrlFor]:
    database = databases.lend()

    def url_for(owner: str) -> str:
        role = _ROLES.get(owner, owner)
        if owner not in _ROLES:
            ensure_roles(postgres.superuser_dsn, database, {role: _PASSWORD})
        return postgres.dsn(database, role, _PASSWORD)

    try:
        yield url_for
    finally:
        databases.take_back(database)


@pytest.fixture
def database_url(database_url_for: DatabaseUrlFor) -> str:
    """The URL of a role with an empty schema of its own, in this test's own database."""
    return database_url_for("tester")


@pytest.fixture(scope="session")
def object_store_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedObjectStore]:
    """A running S3 server. Tests that stop or break one start their own."""
    server = EmbeddedObjectStore(tmp_path_factory.mktemp("object-store"))
    try:
        yield server.start()
    finally:
        server.destroy()  # nobody waits for a clean stop


@pytest.fixture(scope="session")
def buckets(object_store_server: EmbeddedObjectStore) -> Iterator[Buckets]:
    """Empty buckets for whoever needs one."""
    with closing(Buckets(object_store_server, store_in)) as made:
        yield made


@pytest.fixture
def object_store(buckets: Buckets) -> Iterator[MinioStore]:
    """An empty bucket of this test's own, removed at the end: the server has volumes for some dozen at once."""
    store = buckets.lend()
    yield store
    buckets.take_back(store)


@pytest.fixture
def another_object_store(buckets: Buckets) -> Iterator[MinioStore]:
    """The same for a second platform of the test's own."""
    store = buckets.lend()
    yield store
    buckets.take_back(store)


def store_in(server: EmbeddedObjectStore, bucket: str) -> MinioStore:
    """A store for `bucket`, which need not exist yet."""
    return MinioStore(server.url, server.access_key, server.secret_key, bucket)


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQServer]:
    """A running RabbitMQ. A test may restart it and must leave it running."""
    server = RabbitMQServer(tmp_path_factory.mktemp("rabbitmq"))
    try:
        yield server.start()
    finally:
        server.kill()  # nobody waits for a clean stop
