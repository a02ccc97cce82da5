"""Whether a project has room for what a job would make: asked before it is queued, never once it has ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Literal

from kargah.contracts.storage import StorageView
from kargah.domain.errors import OverQuota, Unavailable
from kargah.domain.kinds import KINDS, Kind
from kargah.domain.scope import current_project

Kept = Literal["datasets", "models"]
_KEPT: Mapping[str, Kept] = {"model": "models", "dataset": "datasets"}
_FRESH_SECONDS = 5.0
_RETRY_SECONDS = 60
_MOST_KNOWN = 1000


class Room:
    """Safe to share between threads. An answer is good for five seconds, so that many submissions ask but once."""

    def __init__(self, ask: Callable[[Kept], StorageView | None]) -> None:
        """`ask` tells what the project at hand keeps of a kind; None where nothing is counted."""
        self._ask = ask
        self._lock = threading.Lock()
        self._known: dict[tuple[str, Kept], tuple[float, StorageView | None]] = {}

    def require(self, kind: str) -> None:
        """Raises OverQuota when the project keeps as much as it may of what jobs of that kind make. Who does not
        answer, or cannot say yet (an older release), stops nobody: a limit is not worth a refused job."""
        what = _KEPT.get(KINDS[Kind(kind)].makes)
        kept = None if what is None else self._kept(current_project(), what)
        if kept is None or kept.max_bytes is None or kept.used_bytes < kept.max_bytes:
            return
        message = (
            f"The {what} of {kept.project} take {kept.used_bytes:,} of {kept.max_bytes:,} bytes, and this job would "
            "make another."
        )
        hint = "Delete versions that nobody needs, or ask who looks after the platform for more."
        raise OverQuota(message, hint=hint, extra={"seconds": _RETRY_SECONDS})

    def _kept(self, project: str, what: Kept) -> StorageView | None:
        now = time.monotonic()
        with self._lock:
            asked_at, known = self._known.get((project, what), (float("-inf"), None))
        if now - asked_at < _FRESH_SECONDS:
            return known
        try:
            found = self._ask(what)
        except Unavailable:
            return None
        with self._lock:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[(project, what)] = (now, found)
        return found
