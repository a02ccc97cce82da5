"""A thread that clears away what broken uploads left in the store."""

from __future__ import annotations

import threading

from dataset_svc.datasets.objects import sweep
from kargah.db.engine import Engine
from kargah.domain.errors import DomainError
from kargah.ports.object_store import ObjectStore
from kargah.telemetry.logging import get_logger
from kargah.web.shutdown import stopping

_log = get_logger(__name__)


def start_janitor(store: ObjectStore, engine: Engine, seconds: float) -> threading.Thread:
    """Sweep now and then every `seconds` until the process ends; several replicas may do so at once."""
    thread = threading.Thread(target=_run, args=(store, engine, seconds), name="janitor", daemon=True)
    thread.start()
    return thread


def _run(store: ObjectStore, engine: Engine, seconds: float) -> None:
    while True:
        try:
            sweep(store, engine)
        except DomainError as error:
            _log.warning("leftovers could not be looked for", error=str(error))
        if stopping.wait(seconds):
            return
