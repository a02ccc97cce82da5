"""The sweep that makes every lost message harmless: ends expired leases, rings again for jobs that wait."""

from __future__ import annotations

import threading
import time

from prometheus_client import CollectorRegistry, Counter

from gateway.ringer import Ringer
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.job_state import Status
from kargah.jobstore.claim_repository import expire_leases, pending_to_ring
from kargah.jobstore.values import RetryPolicy
from kargah.telemetry.logging import get_logger

_log = get_logger(__name__)
_RING_AGAIN_SECONDS = 10.0  # while no worker listens, rings only pile up in a broker


class Reconciler:
    """A thread that sweeps every `seconds`. Several gateways may sweep at once."""

    def __init__(
        self, engine: Engine, ringer: Ringer, registry: CollectorRegistry, seconds: float, policy: RetryPolicy
    ) -> None:
        self._engine = engine
        self._ringer = ringer
        self._seconds = seconds
        self._policy = policy
        self._rung: dict[str, float] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reconciler", daemon=True)
        self._expired = Counter(
            "kargah_leases_expired_total",
            "Attempts taken from workers that stopped answering, by where the job went.",
            ["status"],
            registry=registry,
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._stopped.set()
        self._thread.join()

    def sweep(self) -> None:
        """One round. Raises Unavailable."""
        with UnitOfWork(self._engine) as tx:
            expired = expire_leases(tx.connection, self._policy)
        for job in expired:
            _log.warning("lease expired", job_id=job.job_id, worker=job.worker, status=job.status.value)
            self._expired.labels(job.status.value).inc()
        with UnitOfWork(self._engine) as tx:
            overdue = pending_to_ring(tx.connection)
        waiting = [(job.job_id, job.kind) for job in expired if job.status is Status.PENDING]
        self._ring(dict(waiting + overdue))

    def _ring(self, waiting: dict[str, str]) -> None:
        """Ring for each, at most every ten seconds; jobs that wait no longer are forgotten. A bell that does not ring
        is left alone until the next round: each try may take long, and lost leases must not wait for it."""
        now = time.monotonic()
        self._rung = {job_id: at for job_id, at in self._rung.items() if job_id in waiting}
        for job_id, kind in waiting.items():
            if now - self._rung.get(job_id, float("-inf")) >= _RING_AGAIN_SECONDS:
                self._rung[job_id] = now
                if not self._ringer.ring(job_id, kind):
                    return

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            try:
                self.sweep()
            except Exception as error:  # the thread's edge: the next round tries again
                _log.error("sweep failed", error=str(error), exc_info=error)
