"""A service in a process of its own, on a real Postgres and a real S3 server."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from kargah.adapters.minio_store import MinioStore
from kargah.db.migrate import migrate
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.ports import free_port
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.embedded.postgres_roles import ensure_roles
from kargah.testing.fixtures import store_in
from kargah.testing.waiting import wait_until

_PASSWORD = "only-for-tests"
AnyService = TypeVar("AnyService", bound="ServiceProcess")


@dataclass
class ServiceProcess:
    """`client` speaks to it, `store` is its bucket."""

    module: str
    environment: Mapping[str, str]
    store: MinioStore
    client: httpx.Client = field(init=False)
    process: subprocess.Popen[bytes] = field(init=False)
    url: str = ""

    def start(self) -> None:
        """Start it and wait until it is ready."""
        self.url = f"http://127.0.0.1:{free_port()}"
        environment = {**os.environ, **self.environment, "KARGAH_PORT": self.url.rpartition(":")[2]}
        self.process = subprocess.Popen([sys.executable, "-m", self.module], env=environment)
        self.client = httpx.Client(base_url=self.url, timeout=60, trust_env=False)
        wait_until(self._ready, timeout=60, every=0.1)

    def stop(self) -> None:
        """End it; a process that does not end within 30 s is an error."""
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)

    def _ready(self) -> bool:
        assert self.process.poll() is None
        try:
            return self.client.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False


@dataclass
class DatasetProcess(ServiceProcess):
    """The dataset service."""

    def put(self, name: str, data: Any, filename: str = "x.jsonl", **query: str) -> httpx.Response:
        """Upload a body."""
        return self.client.put(f"/api/datasets/{name}/content", params={"filename": filename, **query}, content=data)

    def stored(self) -> list[str]:
        """Every key in its bucket."""
        return [found.key for found in self.store.list("")]

    def names(self) -> list[str]:
        """The datasets there are (the first 200)."""
        return [item["name"] for item in self.client.get("/api/datasets?limit=200").json()["items"]]


@contextmanager
def dataset_process(
    postgres: EmbeddedPostgres, objects: EmbeddedObjectStore, **settings: str
) -> Iterator[DatasetProcess]:
    """A running dataset service with a database and a bucket of its own; `settings` as in its environment."""
    made = _prepared(postgres, objects, "dataset-svc", "dataset_svc")
    with _running(DatasetProcess("dataset_svc.main", made[0] | settings, made[1])) as service:
        yield service


@contextmanager
def registry_process(
    postgres: EmbeddedPostgres, objects: EmbeddedObjectStore, **settings: str
) -> Iterator[ServiceProcess]:
    """A running registry, likewise."""
    made = _prepared(postgres, objects, "registry", "registry")
    with _running(ServiceProcess("registry.main", made[0] | settings, made[1])) as service:
        yield service


def _prepared(
    postgres: EmbeddedPostgres, objects: EmbeddedObjectStore, service: str, role: str
) -> tuple[dict[str, str], MinioStore]:
    name = f"{service}-{secrets.token_hex(6)}"
    ensure_roles(postgres.superuser_dsn, name, {role: _PASSWORD})
    url = postgres.dsn(name, role, _PASSWORD)
    migrate(url, service)
    environment = {
        "KARGAH_DATABASE_URL": url,
        "KARGAH_S3_ENDPOINT": objects.url,
        "KARGAH_S3_ACCESS_KEY": objects.access_key,
        "KARGAH_S3_SECRET_KEY": objects.secret_key,
        "KARGAH_S3_BUCKET": name,
        "KARGAH_LOG_LEVEL": "WARNING",
    }
    return environment, store_in(objects, name)


@contextmanager
def _running(service: AnyService) -> Iterator[AnyService]:
    service.start()
    try:
        yield service
    finally:
        service.stop()
