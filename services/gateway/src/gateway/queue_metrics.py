"""The queue's figures for Prometheus, read from the database when scraped."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from kargah.db.collector import DatabaseCollector
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.job_state import Status
from kargah.domain.kinds import KIND_NAMES
from kargah.domain.queue_policy import LivingWorker
from kargah.jobstore.stats_repository import queue_state, running_trainings
from kargah.jobstore.values import QueueState, RunningTraining
from kargah.jobstore.worker_repository import living_workers


def queue_collector(engine: Engine) -> Collector:
    """`kargah_jobs{status,kind}`, `kargah_queue_depth{kind}`, `kargah_queue_oldest_wait_seconds{kind}`,
    `kargah_workers{kind,state}` (alive ones, `idle` or `busy`, for each kind that they take); of each training that
    runs, by `job_id`, `kargah_job_unsaved_seconds`, `kargah_job_checkpoint_bytes`, `kargah_job_attempts` and
    `kargah_job_steps_lost`; and
    `kargah_queue_readable`.
    """

    def read() -> Iterable[Metric]:
        with UnitOfWork(engine) as tx:
            state, workers = queue_state(tx.connection), living_workers(tx.connection)
            running = running_trainings(tx.connection)
        return [*_of_queue(state, workers), *_of_trainings(running)]

    return DatabaseCollector("kargah_queue_readable", lambda: [*_families().values(), *_job_families().values()], read)


def _families() -> dict[str, GaugeMetricFamily]:
    return {
        "jobs": GaugeMetricFamily("kargah_jobs", "Jobs by status and kind.", labels=["status", "kind"]),
        "depth": GaugeMetricFamily("kargah_queue_depth", "Jobs that wait for a worker.", labels=["kind"]),
        "wait": GaugeMetricFamily(
            "kargah_queue_oldest_wait_seconds", "How long the oldest waiting job has waited.", labels=["kind"]
        ),
        "workers": GaugeMetricFamily("kargah_workers", "Workers that are alive.", labels=["kind", "state"]),
    }


def _job_families() -> dict[str, GaugeMetricFamily]:
    texts = {
        "unsaved": ("kargah_job_unsaved_seconds", "Work since the last checkpoint: what a crash now would cost."),
        "bytes": ("kargah_job_checkpoint_bytes", "Size of the last checkpoint."),
        "attempts": ("kargah_job_attempts", "How often the job was begun."),
        "lost": ("kargah_job_steps_lost", "Steps that an interruption made the job do again."),
    }
    return {name: GaugeMetricFamily(metric, text, labels=["job_id"]) for name, (metric, text) in texts.items()}


def _of_queue(state: QueueState, workers: list[LivingWorker]) -> Iterable[Metric]:
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


def _of_trainings(running: list[RunningTraining]) -> Iterable[Metric]:
    """As many series as there are workers: they vanish with the job's end."""
    families = _job_families()
    for job in running:
        families["unsaved"].add_metric([job.job_id], job.unsaved_seconds)
        families["attempts"].add_metric([job.job_id], job.attempts)
        families["lost"].add_metric([job.job_id], job.steps_lost)
        if job.checkpoint_bytes is not None:
            families["bytes"].add_metric([job.job_id], job.checkpoint_bytes)
    return families.values()
