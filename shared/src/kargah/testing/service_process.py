"""A service in its own process, on a database and a bucket of its own, for tests that stop and kill it."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar

import httpx
import psutil

from kargah.adapters.minio_store import MinioStore
from kargah.db.migrate import migrate
from kargah.domain.hosts import any_https
from kargah.embedded.config import inherited_environment
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.ports import free_port
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.embedded.postgres_roles import ensure_roles
from kargah.testing.fixtures import store_in
from kargah.testing.waiting import wait_until

_PASSWORD = "only-for-tests"
_START_SECONDS = 60
Service = TypeVar("Service", bound="ServiceProcess")


@dataclass
class ServiceProcess:
    """Starts on a free port and keeps it; `client` reaches it. `name` as its migrations are called, `module` as its
    package is, and its role."""

    name: ClassVar[str]
    module: ClassVar[str]
    environment: Mapping[str, str]
    store: MinioStore
    client: httpx.Client = field(init=False)
    process: subprocess.Popen[bytes] = field(init=False)
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Return when it is ready."""
        environment = inherited_environment() | dict(self.environment) | {"KARGAH_PORT": str(self.port)}
        self.process = subprocess.Popen([sys.executable, "-m", f"{self.module}.main"], env=environment)
        self.client = httpx.Client(base_url=self.url, timeout=60, trust_env=False, verify=any_https(self.url))
        wait_until(self._ready, timeout=_START_SECONDS, every=0.1)

    def _ready(self) -> bool:
        assert self.process.poll() is None
        try:
            return self.client.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def stop(self, sent: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal: SIGKILL to every process of it, another one to its parent; return when that has ended."""
        self.client.close()
        processes = [self.process.pid, *(child.pid for child in psutil.Process(self.process.pid).children())]
        for pid in processes if sent == signal.SIGKILL else processes[:1]:
            os.kill(pid, sent)
        self.process.wait(timeout=30)

    def stored(self) -> list[str]:
        """Every key in its bucket."""
        return [found.key for found in self.store.list("")]


@contextmanager
def service_process(
    kind: type[Service], postgres: EmbeddedPostgres, server: EmbeddedObjectStore, settings: Mapping[str, str]
) -> Iterator[Service]:
    """One that runs, with a database and a bucket of its own."""
    name = f"{kind.name}-{secrets.token_hex(6)}"
    ensure_roles(postgres.superuser_dsn, name, {kind.module: _PASSWORD})
    url = postgres.dsn(name, kind.module, _PASSWORD)
    migrate(url, kind.name)
    environment = {
        "KARGAH_DATABASE_URL": url,
        "KARGAH_S3_ENDPOINT": server.url,
        "KARGAH_S3_ACCESS_KEY": server.access_key,
        "KARGAH_S3_SECRET_KEY": server.secret_key,
        "KARGAH_S3_BUCKET": name,
        **settings,
    }
    with started(kind(environment, store_in(server, environment["KARGAH_S3_BUCKET"]))) as service:
        yield service


@contextmanager
def started(service: Service) -> Iterator[Service]:
    """The service while it runs, whatever it needs being there."""
    service.start()
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.stop()
