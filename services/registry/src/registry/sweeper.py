"""Removes what nobody needs, now and then."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from kargah.domain.errors import DomainError
from kargah.telemetry.logging import get_logger
from kargah.web.shutdown import stopping

_log = get_logger(__name__)


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
