"""Metric points: written by fenced batches beside COPY of the same batches, read over HTTP beside a plain SELECT."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import psycopg

from benchmarks.report import Row
from kargah.db.engine import libpq_url
from kargah.jobstore import attempt_repository
from kargah.jobstore.values import Batch, Claim, MetricValue
from kargah.testing.distributed import Distributed
from kargah.testing.jobs import JobBench

_BATCH = 100
_BATCHES = 300
_NAMES = ("loss", "learning_rate", "gradient_norm", "tokens_per_second")
_READ = 25_000  # steps: 100,000 points


def rows(stack: Distributed, bench: JobBench) -> list[Row]:
    """One worker's writes, as fast as it can; and a chart's whole history."""
    claim = bench.running(lease_seconds=600)
    points = _BATCH * _BATCHES
    ours = points / _timed(lambda: _write(bench, claim))
    with psycopg.connect(libpq_url(stack.dsn_of("gateway"))) as connection:
        bare = points / _timed(lambda: _copy(connection, claim.job_id))
        _fill(connection, claim.job_id)
        plain = _timed(lambda: connection.execute(_SELECT, (claim.job_id,)).fetchall())
    read = _timed(lambda: _get(stack, claim.job_id))
    return [
        Row(
            "gateway", "metric points written", "1/s", ours, f"COPY, {_BATCH} to a commit", bare, ours / bare, None,
            "fence, upsert, event and progress included",
        ),
        Row("gateway", f"{4 * _READ:,} points read", "s", read, "SELECT", plain, plain / read, None, "JSON over HTTP"),
    ]  # fmt: skip


_SELECT = "SELECT name, step, value FROM metrics WHERE job_id = %s ORDER BY name, step"


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _steps(batch: int) -> range:
    size = _BATCH // len(_NAMES)
    return range(batch * size + 1, (batch + 1) * size + 1)


def _write(bench: JobBench, claim: Claim) -> None:
    for batch in range(_BATCHES):
        values = [MetricValue(step, name, 1.0 / step) for step in _steps(batch) for name in _NAMES]
        bench.do(attempt_repository.record, claim.job_id, claim.generation, Batch(metrics=values))


def _copy(connection: psycopg.Connection, job_id: str) -> None:
    connection.execute(
        "CREATE TABLE bench_points (job_id text, step int, name text, value float8, PRIMARY KEY (job_id, step, name))"
    )
    connection.commit()
    for batch in range(_BATCHES):
        with connection.cursor().copy("COPY bench_points FROM STDIN") as copy:
            for step in _steps(batch):
                for name in _NAMES:
                    copy.write_row((job_id, step, name, 1.0 / step))
        connection.commit()


def _fill(connection: psycopg.Connection, job_id: str) -> None:
    """Up to `_READ` steps, past what has been written."""
    connection.execute(
        "INSERT INTO metrics (job_id, step, name, value, generation)"
        " SELECT %s, step, name, 1.0 / step, 1 FROM generate_series(1, %s) step, unnest(%s::text[]) name"
        " ON CONFLICT DO NOTHING",
        (job_id, _READ, list(_NAMES)),
    )
    connection.commit()


def _get(stack: Distributed, job_id: str) -> None:
    query = {"limit": _READ}
    answer = httpx.get(f"{stack.url}/api/jobs/{job_id}/metrics", params=query, timeout=120, trust_env=False)
    answer.raise_for_status()
    if len(answer.json()["points"]) != len(_NAMES) * _READ:
        raise RuntimeError(f"{len(answer.json()['points'])} points came")
