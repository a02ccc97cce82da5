"""Benches for breaking things on: agents with short leases, the gateway's sweep, real servers."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from gateway.reconciler import Reconciler
from gateway.ringer import Ringer
from kargah.adapters.minio_store import MinioStore
from kargah.adapters.postgres_bell import PostgresBell
from kargah.db.engine import create_engine
from kargah.db.migrate import migrate
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.embedded.postgres_roles import ensure_roles
from kargah.jobstore.values import RetryPolicy
from kargah.ports.doorbell import Doorbell
from kargah.testing.fixtures import store_in
from worker.agent import loop
from worker.testing.agent_bench import AgentBench, agent_bench
from worker.testing.agent_process import AgentHouse

LEASE = 2.0
SHORT = {"KARGAH_LEASE_SECONDS": str(LEASE), "KARGAH_HEARTBEAT_SECONDS": "0.2", "KARGAH_BACKOFF_SECONDS": "0"}
EAGER = RetryPolicy(backoff_seconds=0.0)
Sweep = Callable[..., AbstractContextManager[Reconciler]]


@contextmanager
def sweeping(
    database_url: str, bell: Doorbell | None = None, seconds: float = 0.3, policy: RetryPolicy = EAGER
) -> Iterator[Reconciler]:
    """The gateway's reconciler as a thread of this process, on a connection pool of its own."""
    engine = create_engine(database_url)
    registry = CollectorRegistry()
    ringer = Ringer(bell or PostgresBell(engine), registry)
    reconciler = Reconciler(engine, ringer, registry, seconds, policy)
    reconciler.start()
    try:
        yield reconciler
    finally:
        reconciler.stop()
        engine.dispose()


@pytest.fixture(scope="module", autouse=True)
def _eager_agents() -> Iterator[None]:
    """Agents within this process hear no bell, so they look often."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "_POLL_SECONDS", 0.1)
        yield


@contextmanager
def lasting_bench(postgres: EmbeddedPostgres, server: EmbeddedObjectStore, folder: Path) -> Iterator[AgentBench]:
    """A bench for many tests, in a database and a bucket of its own."""
    name = secrets.token_hex(6)
    ensure_roles(postgres.superuser_dsn, f"test_{name}", {"gateway": "only-for-tests"})
    url = postgres.dsn(f"test_{name}", "gateway", "only-for-tests")
    migrate(url, "gateway")
    store = store_in(server, f"test-{name}")
    store.ensure_bucket()
    with agent_bench(url, store, folder, os.environ) as bench:
        yield bench


@pytest.fixture
def bench(database_url_for: Callable[[str], str], object_store: MinioStore, tmp_path: Path) -> Iterator[AgentBench]:
    with agent_bench(database_url_for("gateway"), object_store, tmp_path, os.environ) as bench:
        yield bench


@pytest.fixture
def house(
    bench: AgentBench,
    database_url_for: Callable[[str], str],
    object_store_server: EmbeddedObjectStore,
    object_store: MinioStore,
) -> AgentHouse:
    """Agents as processes, with a lease of two seconds, whose jobs are given back by a sweep if a test starts one."""
    return AgentHouse(bench, database_url_for("gateway"), object_store_server, object_store.bucket, SHORT)


@pytest.fixture
def sweep(database_url_for: Callable[[str], str]) -> Sweep:
    """Starts the gateway's sweep: `with sweep(bell): ...`."""

    def start(bell: Doorbell | None = None, policy: RetryPolicy = EAGER) -> AbstractContextManager[Reconciler]:
        return sweeping(database_url_for("gateway"), bell, policy=policy)

    return start
