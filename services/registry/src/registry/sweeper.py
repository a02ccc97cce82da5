"""Removes blobs that nobody needs, now and then."""

from __future__ import annotations

import threading

from kargah.domain.errors import DomainError
from kargah.telemetry.logging import get_logger
from kargah.web.shutdown import stopping
from registry.blobs.service import BlobService

_log = get_logger(__name__)


def start_sweeper(blobs: BlobService, seconds: float) -> threading.Thread:
    """Sweep every `seconds` until the process is asked to stop. A sweep that fails is tried again next time."""

    def sweep() -> None:
        while not stopping.wait(seconds):
            try:
                blobs.collect()
            except DomainError as error:
                _log.warning("sweep failed", error=str(error))

    thread = threading.Thread(target=sweep, name="sweeper", daemon=True)
    thread.start()
    return thread
