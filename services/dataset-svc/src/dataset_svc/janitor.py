"""A thread that clears away what broken uploads left in the store, and makes what older releases did not."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta

from dataset_svc.datasets.objects import sweep
from dataset_svc.resumable.leftovers import abort_strays, give_up_silent, live_folders
from dataset_svc.resumable.service import ResumableUploads
from dataset_svc.splits.files import make_missing
from kargah.db.engine import Engine
from kargah.domain.errors import DomainError
from kargah.ports.object_store import MultipartStore
from kargah.telemetry.logging import get_logger
from kargah.web.shutdown import stopping

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Janitor:
    """Looks every `seconds`; several replicas may do so at once. Uploads go when `silent` for so long, objects and
    parts that are nobody's when of that `age`."""

    store: MultipartStore
    engine: Engine
    uploads: ResumableUploads
    seconds: float
    silent: timedelta
    age: timedelta

    def start(self) -> threading.Thread:
        """Now and then, until the process ends."""
        thread = threading.Thread(target=self._run, name="janitor", daemon=True)
        thread.start()
        return thread

    def look(self) -> int:
        """Once; how much went. Raises Unavailable."""
        gone = give_up_silent(self.uploads, self.engine, self.silent)
        gone += abort_strays(self.store, self.engine, self.age)
        return gone + sweep(self.store, self.engine, age=self.age, spared=live_folders(self.engine))

    def _run(self) -> None:
        while True:
            try:
                self.look()
                make_missing(self.store, self.engine)
            except DomainError as error:
                _log.warning("leftovers could not be looked for", error=str(error))
            if stopping.wait(self.seconds):
                return
