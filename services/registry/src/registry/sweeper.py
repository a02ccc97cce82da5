"""Removes what nobody needs, now and then."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from kargah.domain.errors import DomainError
from kargah.ports.object_store import MultipartStore
from kargah.telemetry.logging import get_logger
from kargah.web.shutdown import stopping

_OURS = ("blobs/", "uploads/", "xorbs/")
_log = get_logger(__name__)


def abort_strays(store: MultipartStore, grace: timedelta) -> int:
    """Give up objects that are under way for longer than `grace`: whoever stored them has died. How many."""
    oldest = datetime.now(UTC) - grace
    strays = [one for prefix in _OURS for one in store.multiparts(prefix) if one.begun_at < oldest]
    for stray in strays:
        store.abort_multipart(stray.key, stray.upload_id)
    return len(strays)


def start_sweeper(tasks: Sequence[Callable[[], object]], seconds: float) -> threading.Thread:
    """Run `tasks` every `seconds` until the process is asked to stop. One that fails is tried again next time."""

    def sweep() -> None:
        while not stopping.wait(seconds):
            for task in tasks:
                try:
                    task()
                except DomainError as error:
                    _log.warning("sweep failed", error=str(error))

    thread = threading.Thread(target=sweep, name="sweeper", daemon=True)
    thread.start()
    return thread
