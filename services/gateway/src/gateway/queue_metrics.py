"""The queue's figures for Prometheus, read from the database when scraped."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import Unavailable
from kargah.domain.job_state import Status
from kargah.domain.kinds import KIND_NAMES
from kargah.domain.queue_policy import LivingWorker
from kargah.jobstore.stats_repository import queue_state
from kargah.jobstore.values import QueueState
from kargah.jobstore.worker_repository import living_workers

_FRESH_SECONDS = 5.0
Reading = tuple[QueueState, list[LivingWorker]]


class QueueCollector(Collector):
    """`kargah_jobs{status,kind}`, `kargah_queue_depth{kind}`, `kargah_queue_oldest_wait_seconds{kind}`,
    `kargah_workers{kind,state}` (alive ones, `idle` or `busy`, for each kind that they take), and
    `kargah_queue_readable`, which is 0 while the database does not answer (the others are then absent).

    Scrapes within five seconds share one reading.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._read_last: Reading | None = None

    def describe(self) -> Iterable[Metric]:
        """The names alone, so that registering asks no database."""
        return [*_families().values(), _readable(False)]

    def collect(self) -> Iterable[Metric]:
        reading = self._current()
        return [*(_filled(*reading) if reading else []), _readable(reading is not None)]

    def _current(self) -> Reading | None:
        with self._lock:
            if time.monotonic() - self._read_at > _FRESH_SECONDS:
                self._read_last = self._read()
                self._read_at = time.monotonic()
            return self._read_last

    def _read(self) -> Reading | None:
        try:
            with UnitOfWork(self._engine) as tx:
                return queue_state(tx.connection), living_workers(tx.connection)
        except Unavailable:
            return None


def _families() -> dict[str, GaugeMetricFamily]:
    return {
        "jobs": GaugeMetricFamily("kargah_jobs", "Jobs by status and kind.", labels=["status", "kind"]),
        "depth": GaugeMetricFamily("kargah_queue_depth", "Jobs that wait for a worker.", labels=["kind"]),
        "wait": GaugeMetricFamily(
            "kargah_queue_oldest_wait_seconds", "How long the oldest waiting job has waited.", labels=["kind"]
        ),
        "workers": GaugeMetricFamily("kargah_workers", "Workers that are alive.", labels=["kind", "state"]),
    }


def _filled(state: QueueState, workers: list[LivingWorker]) -> Iterable[Metric]:
    """Zeros included: a series that vanishes cannot be alerted on."""
    families = _families()
    for kind in KIND_NAMES:
        for status in Status:
            families["jobs"].add_metric([status.value, kind], state.counts.get((status.value, kind), 0))
        families["depth"].add_metric([kind], state.depth.get(kind, 0))
        families["wait"].add_metric([kind], state.oldest_wait_seconds.get(kind, 0.0))
        able = [worker for worker in workers if kind in worker.kinds]
        idle = sum(worker.job_id is None for worker in able)
        families["workers"].add_metric([kind, "idle"], idle)
        families["workers"].add_metric([kind, "busy"], len(able) - idle)
    return families.values()


def _readable(readable: bool) -> Metric:
    return GaugeMetricFamily("kargah_queue_readable", "Whether the queue could be read.", value=float(readable))
