"""Growing pauses between restarts: what crashes at once again is not started every second."""

from __future__ import annotations

import time
from collections.abc import Callable

_FIRST_SECONDS = 1.0
_LAST_SECONDS = 60.0


class Pauses:
    """By name. One that stayed up for longer than the longest pause begins with the shortest again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tried: dict[str, tuple[float, float]] = {}

    def due(self, name: str) -> bool:
        """Whether `name`, which has ended, should be started now; if so, the next pause is twice as long."""
        now = self._clock()
        tried_at, pause = self._tried.get(name, (float("-inf"), 0.0))
        if now - tried_at < pause:
            return False
        stable = now - tried_at > _LAST_SECONDS + pause
        self._tried[name] = (now, _FIRST_SECONDS if stable else min(max(2 * pause, _FIRST_SECONDS), _LAST_SECONDS))
        return True
