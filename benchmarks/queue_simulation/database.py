"""What the real claim and the real heartbeat cost on a real Postgres."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import sqlalchemy as sa

from benchmarks.queue_simulation.server import Server
from benchmarks.queue_simulation.statements import report
from kargah.db.engine import Connection
from kargah.jobstore import attempt_repository, claim_repository
from kargah.testing.jobs import JobBench, job_bench

OWNERS = 40
_KINDS = ["train", "install"]
_LEASE = 3600.0
_CONFIG = '{"recipe": "sft", "outputModel": "x", "params": {}}'
_WARM_UP = 20
_REAPED_SECONDS = 1.0  # a backend that ends is in nobody's account until the postmaster has taken notice


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one claim by one client, with so many jobs waiting and trainings running."""

    pending: int
    running: int
    p50: float
    p95: float
    p99: float


@dataclass(frozen=True)
class Rate:
    """`per_second` operations with so many connections at once; `cpu_ms`: what the server computed for each."""

    connections: int
    per_second: float
    cpu_ms: float


def add_jobs(conn: Connection, count: int, first: int = 0, *, running: bool = False) -> None:
    """Waiting jobs of forty owners; or running ones, with a lease."""
    active = "'training', now() + interval '1 h', now(), 'w'" if running else "'pending', NULL, NULL, NULL"
    conn.execute(
        sa.text(
            "INSERT INTO jobs "
            "(id, kind, name, owner, config, rank, status, lease_until, active_since, worker, generation) "
            "SELECT 'job_' || n || :mark, 'train', 'simulated', 'owner' || n % :owners, CAST(:config AS jsonb), n, "
            f"{active}, :generation FROM generate_series(CAST(:first AS integer), CAST(:last AS integer)) AS n"
        ),
        {
            "mark": "r" if running else "w",
            "owners": OWNERS,
            "config": _CONFIG,
            "first": first,
            "last": first + count - 1,
            "generation": int(running),
        },
    )


def prepare(bench: JobBench) -> None:
    """Let Postgres see what is there, as its own autovacuum would."""
    with bench.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(sa.text("SET statement_timeout = 0"))
        conn.execute(sa.text("VACUUM ANALYZE jobs"))


def claim_latency(bench: JobBench, pending: int, running: int, count: int) -> Latency:
    """`count` claims, one after the other."""
    taken = []
    for _ in range(count + _WARM_UP):
        began = time.perf_counter()
        _claim(bench)
        taken.append(1000 * (time.perf_counter() - began))
    cuts = statistics.quantiles(taken[_WARM_UP:], n=100)
    return Latency(pending, running, cuts[49], cuts[94], cuts[98])


def claim_rate(server: Server, connections: int, seconds: float) -> Rate:
    """Claims by processes of their own."""
    return _rate(server, connections, partial(_claims, server.url, seconds))


def heartbeat_rate(server: Server, connections: int, seconds: float) -> Rate:
    """Heartbeats of running jobs, each process its own jobs."""
    return _rate(server, connections, partial(_heartbeats, server.url, seconds))


def report_rate(server: Server, connections: int, seconds: float) -> Rate:
    """Reports of running jobs: progress, six metrics, one line of log."""
    return _rate(server, connections, partial(_reports, server.url, seconds))


def _rate(server: Server, connections: int, work: Callable[[int], tuple[int, float]]) -> Rate:
    """Each process says how much it did and how long that took; starting up is not counted as time."""
    with multiprocessing.get_context("spawn").Pool(connections) as pool:
        pool.map(abs, range(connections))
        time.sleep(_REAPED_SECONDS)
        cpu = server.cpu_seconds()
        done = pool.map(work, range(connections), chunksize=1)
        time.sleep(_REAPED_SECONDS)
        cpu = server.cpu_seconds() - cpu
        pool.close()
        pool.join()  # leaving the block would end the processes by a signal, in the middle of whatever they do
    total = sum(count for count, _ in done)
    return Rate(connections, sum(count / seconds for count, seconds in done), 1000 * cpu / max(1, total))


def _claims(url: str, seconds: float, _number: int) -> tuple[int, float]:
    with job_bench(url) as bench:
        return _repeat(lambda _: _claim(bench), seconds)


def _claim(bench: JobBench) -> None:
    assert bench.do(claim_repository.claim, _KINDS, "w", _LEASE) is not None, "nothing waited"


def _heartbeats(url: str, seconds: float, number: int) -> tuple[int, float]:
    with job_bench(url) as bench:
        mine = _running(number)
        return _repeat(lambda turn: bench.do(attempt_repository.heartbeat, mine[turn % len(mine)], 1, _LEASE), seconds)


def _reports(url: str, seconds: float, number: int) -> tuple[int, float]:
    with job_bench(url) as bench:
        mine = _running(number)
        return _repeat(lambda turn: bench.do(attempt_repository.record, mine[turn % len(mine)], 1, report()), seconds)


def _running(number: int) -> Sequence[str]:
    """A hundred running jobs of this process's own, of those that `add_jobs` has made."""
    return [f"job_{100 * number + place}r" for place in range(100)]


def _repeat(operation: Callable[[int], object], seconds: float) -> tuple[int, float]:
    operation(0)
    began, count = time.perf_counter(), 0
    while (passed := time.perf_counter() - began) < seconds:
        operation(count)
        count += 1
    return count, passed
