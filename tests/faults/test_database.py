"""Postgres restarted, killed and cut off under a running job, and a worker whose wall clock is an hour wrong."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from kargah.adapters.minio_store import MinioStore
from kargah.db.engine import Engine
from kargah.db.migrate import migrate
from kargah.domain.job_state import Status
from kargah.embedded import postgres as postgres_module
from kargah.embedded.ports import free_port
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.embedded.postgres_roles import ensure_roles
from kargah.jobstore import control_repository
from kargah.testing.servers.programs import MissingServer
from worker.agent.ledger import lease_engine
from worker.testing.agent_bench import AgentBench, agent_bench
from worker.testing.processes import alive, until
from worker.testing.tcp_proxy import Proxy, proxy_to

from .conftest import Sweep, sweeping

_SHORT = 4.0  # seconds of a lease that ends within a test; long enough for a slow machine to be within it
HOUR = 3600
STEPS = 80


@pytest.fixture(scope="module")
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A server to be ended; it comes back on the same port. Unlike other tests' it writes to the disk."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("own-postgres"), free_port())
    try:
        yield server.start()
    finally:
        server.destroy()


@pytest.fixture
def own_url(own_postgres: EmbeddedPostgres, request: pytest.FixtureRequest) -> str:
    database = f"faults_{request.node.name.encode().hex()[:16]}"
    ensure_roles(own_postgres.superuser_dsn, database, {"gateway": "only-for-tests"})
    url = own_postgres.dsn(database, "gateway", "only-for-tests")
    migrate(url, "gateway")
    return url


@pytest.fixture
def own_bench(own_url: str, object_store: MinioStore, tmp_path: Path) -> Iterator[AgentBench]:
    with agent_bench(own_url, object_store, tmp_path, os.environ) as bench:
        yield bench


@contextmanager
def leased(url: str, lease: float) -> Iterator[Engine]:
    """An agent's connections to the database."""
    engine = lease_engine(url, lease)
    try:
        yield engine
    finally:
        engine.dispose()


def running(bench: AgentBench, **params: float) -> tuple[str, int]:
    """A job with a checkpoint, and its trainer's pid. `params`: more for the scripted trainer."""
    job_id = bench.submit(steps=STEPS, every=10, pace=0.05, **params)
    pid = bench.trainer_pid(job_id)
    until(lambda: bench.checkpoint_steps(job_id) != [], "a checkpoint")
    return job_id, pid


def assert_whole(bench: AgentBench, job_id: str, outcomes: list[str]) -> None:
    """Completed, every step once, and each attempt from a checkpoint of the one before."""
    job = bench.wait_ended(job_id)
    assert job.status is Status.COMPLETED and bench.outcomes(job_id) == outcomes
    assert bench.metric_steps(job_id) == list(range(1, STEPS + 1))
    assert all(start > 0 for start in bench.starts(job_id)[1:])


@pytest.mark.parametrize("how", ["restart", "kill -9"])
def test_a_restart_within_the_lease_is_waited_out_by_the_same_attempt(
    own_postgres: EmbeddedPostgres, own_url: str, own_bench: AgentBench, how: str
) -> None:
    bench = own_bench
    with leased(own_url, 15.0) as engine, sweeping(own_url), bench.agent(engine=engine, lease=15.0):
        job_id, pid = running(bench)
        own_postgres.stop() if how == "restart" else own_postgres.kill()
        assert alive(pid)
        own_postgres.start()
        assert_whole(bench, job_id, ["finished"])


def test_a_database_away_for_longer_than_the_lease_ends_the_trainer_first_and_the_job_resumes(
    own_postgres: EmbeddedPostgres, own_url: str, own_bench: AgentBench
) -> None:
    bench = own_bench
    with leased(own_url, _SHORT) as engine, sweeping(own_url), bench.agent(engine=engine, lease=_SHORT):
        job_id, pid = running(bench, resumed_pace=0.005)
        own_postgres.stop()
        down_at = time.monotonic()
        until(lambda: not alive(pid), "the trainer's end", 2 * _SHORT)
        assert time.monotonic() - down_at < _SHORT, "dead before the lease has ended"
        own_postgres.start()
        assert_whole(bench, job_id, ["lost", "finished"])


def test_a_partition_ends_the_trainer_before_the_lease_and_the_other_side_takes_over(
    bench: AgentBench, sweep: Sweep
) -> None:
    """The cut-off worker is still there when another has its job; healed, it changes nothing of it."""
    url = bench.jobs.engine.url.render_as_string(hide_password=False)
    with ExitStack() as open_:
        network, engine = open_.enter_context(partitioned(url, _SHORT))
        open_.enter_context(sweep())
        open_.enter_context(bench.agent(engine=engine, lease=_SHORT, name="cut-off"))
        job_id, pid = running(bench)
        network.cut()
        cut_at = time.monotonic()
        until(lambda: not alive(pid), "the trainer's end", 2 * _SHORT)
        assert time.monotonic() - cut_at < _SHORT
        open_.enter_context(bench.agent(lease=_SHORT, name="other"))
        bench.trainer_pid(job_id, attempt=2)
        network.heal()
        assert_whole(bench, job_id, ["lost", "finished"])
    assert bench.get(job_id).worker == "other"


def test_answers_lost_on_the_way_back_make_nothing_twice_and_lose_nothing(bench: AgentBench, sweep: Sweep) -> None:
    """Every third commit happens, and the agent never hears of it: its connection breaks in place of the answer."""
    url = bench.jobs.engine.url.render_as_string(hide_password=False)
    with partitioned(url, 4.0) as (network, engine), sweep(), bench.agent(engine=engine, lease=4.0):
        job_id, _pid = running(bench)
        network.swallow_answers(b"COMMIT", every=3)
        job = bench.wait_ended(job_id)
    assert network.swallowed > 5
    assert job.status is Status.COMPLETED and len(bench.peers.committed) == 1
    assert bench.outcomes(job_id) == ["finished"]
    assert bench.metric_steps(job_id) == list(range(1, STEPS + 1))


@contextmanager
def partitioned(url: str, lease: float) -> Iterator[tuple[Proxy, Engine]]:
    """The network between an agent and the database, and the agent's connections through it."""
    parsed = urlsplit(url.replace("postgresql+psycopg", "postgresql"))
    with proxy_to(parsed.hostname or "", parsed.port or 0) as network:
        netloc = f"{parsed.username}:{parsed.password}@127.0.0.1:{network.port}"
        with leased(parsed._replace(netloc=netloc).geturl(), lease) as engine:
            yield network, engine


def wrong_clock(seconds: int) -> dict[str, str]:
    """The environment of a process whose wall clock is off; its monotonic clock is right, as on any real machine."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not found:
        raise MissingServer("libfaketime is not installed: run deploy/dev/install-test-servers.sh")
    return {"LD_PRELOAD": str(found[0]), "FAKETIME": f"{seconds:+d}", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


@pytest.fixture
def ahead(own_postgres: EmbeddedPostgres) -> Iterator[Callable[[int], None]]:
    """Restarts the database with a clock that is ahead of this machine's by so many seconds.

    The library that does so breaks `time.sleep` in Python, so that it is not the worker whose clock is made wrong.
    """
    with pytest.MonkeyPatch.context() as patch:

        def restart(seconds: int) -> None:
            own_postgres.stop()
            patch.setattr(postgres_module, "ENV", {**postgres_module.ENV, **wrong_clock(seconds)})
            own_postgres.start()

        yield restart
    own_postgres.stop()
    own_postgres.start()


@pytest.mark.parametrize("seconds", [HOUR, -HOUR])
def test_an_hour_of_clock_skew_between_worker_and_database_has_no_effect(
    own_url: str, own_bench: AgentBench, ahead: Callable[[int], None], seconds: int
) -> None:
    bench = own_bench
    ahead(seconds)
    with leased(own_url, _SHORT) as engine, sweeping(own_url), bench.agent(engine=engine, lease=_SHORT):
        job_id, _pid = running(bench)
        assert_whole(bench, job_id, ["finished"])
        paused, _pid = running(bench)
        bench.jobs.do(control_repository.request_pause, paused)
        bench.wait_status(paused, Status.PAUSED)
    off = (bench.get(job_id).created_at - datetime.now(UTC)).total_seconds()
    assert abs(off - seconds) < 300, "the database's clock was wrong indeed"
    assert bench.outcomes(paused) == ["paused"]
