"""Ring the doorbell without failing or holding up a request: what is lost is rung again by the reconciler."""

from __future__ import annotations

import queue
import threading
from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter

from kargah.ports.doorbell import Doorbell
from kargah.telemetry.logging import get_logger
from kargah.web.shutdown import at_end

_log = get_logger(__name__)
_MOST_WAITING = 1000  # more than workers could answer; the reconciler rings for the rest
_LAST_SECONDS = 2.0

_Ring = tuple[str, str]


class Ringer:
    """Counts rings as `kargah_bell_rings_total{result}`: rung, failed, or dropped where too many wait to be rung."""

    def __init__(self, bell: Doorbell, registry: CollectorRegistry) -> None:
        self._bell = bell
        self._rings = Counter("kargah_bell_rings_total", "Rings of the doorbell.", ["result"], registry=registry)
        self._waiting: queue.Queue[_Ring | None] = queue.Queue(_MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name="ringer", daemon=True)

    def start(self) -> None:
        self._thread.start()
        at_end(self.stop)

    def stop(self) -> None:
        """Ring what waits, for two seconds at most."""
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            return
        if self._thread.ident is not None:
            self._thread.join(_LAST_SECONDS)

    def soon(self, job_id: str, kind: str) -> None:
        """Tell some worker, from a thread of its own: the job is committed already and waits safely either way."""
        try:
            self._waiting.put_nowait((job_id, kind))
        except queue.Full:
            self._rings.labels("dropped").inc()

    def ring(self, job_id: str, kind: str) -> bool:
        """Tell some worker now; whether that worked."""
        try:
            self._bell.ring(job_id, kind)
        except Exception as error:  # the bell's own edge: whatever a broker raises must not undo a submit
            _log.warning("the bell did not ring; the reconciler will", job_id=job_id, error=str(error))
            self._rings.labels("failed").inc()
            return False
        self._rings.labels("rung").inc()
        return True

    def _run(self) -> None:
        """Once the bell fails, what waits is left to the reconciler: each try may take long."""
        while (waiting := self._waiting.get()) is not None:
            if not self.ring(*waiting) and self._drop_all():
                return

    def _drop_all(self) -> bool:
        """Whether `stop` was among them."""
        with suppress(queue.Empty):
            while self._waiting.get_nowait() is not None:
                self._rings.labels("dropped").inc()
            return True
        return False
