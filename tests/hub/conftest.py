"""A registry and a gateway as processes, and the stock clients in both of their modes."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from kargah import Client
from kargah.adapters.minio_store import MinioStore
from kargah.embedded.config import inherited_environment
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.ports import free_port, free_ports
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.embedded.postgres_roles import ensure_roles
from kargah.embedded.process import Command, ManagedProcess
from kargah.embedded.readiness import is_ready
from kargah.testing.fixtures import store_in
from tests.hub.client import StockClients

_PASSWORD = "only-for-tests"
PART_BYTES = 6 << 20
"""From this size on files come in parts, here."""


@dataclass(frozen=True)
class Hub:
    """Where the registry and the gateway are, and how the tests look behind them. `settings` are the registry's."""

    registry: str
    gateway: str
    settings: dict[str, str]
    store: MinioStore
    kargah: Client
    folder: Path

    @cached_property
    def tiny(self) -> Path:
        """A small Llama with its tokenizer; made where it is asked for, for that needs torch."""

        from worker.testing.tiny_models import tiny_llama

        return tiny_llama(self.folder / "tiny")


@pytest.fixture(scope="session")
def hub(
    postgres: EmbeddedPostgres,
    migrated_database: str,
    object_store_server: EmbeddedObjectStore,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("hub")
    urls = new_database(postgres, migrated_database)
    store = store_in(object_store_server, f"hub-{secrets.token_hex(4)}")
    registry, gateway, datasets = (f"http://127.0.0.1:{port}" for port in free_ports(3))
    settings = {
        "KARGAH_DATABASE_URL": urls["registry"],
        "KARGAH_S3_ENDPOINT": object_store_server.url,
        "KARGAH_S3_ACCESS_KEY": object_store_server.access_key,
        "KARGAH_S3_SECRET_KEY": object_store_server.secret_key,
        "KARGAH_S3_BUCKET": store.bucket,
        "KARGAH_HUB_PART_BYTES": str(PART_BYTES),
        "KARGAH_DATASETS_URL": datasets,
    }
    peers = {
        "KARGAH_DATABASE_URL": urls["gateway"],
        "KARGAH_REGISTRY_URL": registry,
        "KARGAH_DATASETS_URL": datasets,
        "KARGAH_INFERENCE_URL": "http://127.0.0.1:9",
    }
    with ExitStack() as stack:
        stack.enter_context(start_process("registry", registry, settings, folder))
        rows = settings | {"KARGAH_DATABASE_URL": urls["dataset_svc"]}
        stack.enter_context(start_process("dataset_svc", datasets, rows, folder))
        stack.enter_context(start_process("gateway", gateway, peers, folder))
        client = stack.enter_context(Client(gateway))
        yield Hub(registry, gateway, settings, store, client, folder)


@pytest.fixture(scope="session", params=["xet", pytest.param("lfs", marks=pytest.mark.campaign)])
def clients(
    hub: Hub, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StockClients]:
    """With Xet through the gateway, as people use it; without Xet at the registry itself."""
    xet = request.param == "xet"
    endpoint = f"{hub.gateway if xet else hub.registry}/hub"
    found = StockClients(endpoint, tmp_path_factory.mktemp(request.param), xet=xet)
    yield found
    found.close()


@pytest.fixture
def owner(clients: StockClients) -> str:
    """An owner of this mode's own, for names that do not clash with the other's."""
    return "with-xet" if clients.xet else "without-xet"


def start_registry(hub: Hub, folder: Path, **settings: str) -> tuple[str, ManagedProcess]:
    """Another registry on the same database and store, for tests that end it."""
    url = f"http://127.0.0.1:{free_port()}"
    return url, start_process("registry", url, hub.settings | settings, folder)


def new_database(postgres: EmbeddedPostgres, template: str) -> dict[str, str]:
    """A database of its own with every service's tables; the address for each owner."""
    name = f"hub_{secrets.token_hex(4)}"
    with psycopg.connect(postgres.superuser_dsn, autocommit=True) as connection:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
    owners = ("registry", "gateway", "dataset_svc")
    ensure_roles(postgres.superuser_dsn, name, dict.fromkeys(owners, _PASSWORD))
    return {owner: postgres.dsn(name, owner, _PASSWORD) for owner in owners}


def start_process(name: str, url: str, settings: dict[str, str], folder: Path) -> ManagedProcess:
    """A service of that name at `url`, ready."""
    port = int(url.rpartition(":")[2])
    command = Command(
        name=name,
        arguments=[sys.executable, "-m", f"{name}.main"],
        log_file=folder / f"{name}.log",
        cwd=folder,
        env=inherited_environment() | {"KARGAH_PORT": str(port)} | settings,
    )
    process = ManagedProcess(command)
    process.wait_ready(lambda: is_ready(port), 60)
    return process
