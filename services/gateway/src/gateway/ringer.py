"""Ring the doorbell without ever failing a request: a ring that is lost is rung again by the reconciler."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

from kargah.ports.doorbell import Doorbell
from kargah.telemetry.logging import get_logger

_log = get_logger(__name__)


class Ringer:
    """Counts rings as `kargah_bell_rings_total{result}`."""

    def __init__(self, bell: Doorbell, registry: CollectorRegistry) -> None:
        self._bell = bell
        self._rings = Counter("kargah_bell_rings_total", "Rings of the doorbell.", ["result"], registry=registry)

    def ring(self, job_id: str, kind: str) -> bool:
        """Tell some worker; whether that worked. The job is committed already and waits safely either way."""
        try:
            self._bell.ring(job_id, kind)
        except Exception as error:  # the bell's own edge: whatever a broker raises must not undo a submit
            _log.warning("the bell did not ring; the reconciler will", job_id=job_id, error=str(error))
            self._rings.labels("failed").inc()
            return False
        self._rings.labels("rung").inc()
        return True
