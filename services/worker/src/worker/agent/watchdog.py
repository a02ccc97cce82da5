"""Signs of life: a trainer that says nothing for too long has hung."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping


class Watchdog:
    """`deadlines`: seconds of silence allowed, by phase. A trainer starts in `preparing`."""

    def __init__(self, deadlines: Mapping[str, float], clock: Callable[[], float] = time.monotonic) -> None:
        self._deadlines = deadlines
        self._clock = clock
        self._seen_at = clock()
        self.phase = "preparing"

    def alive(self, phase: str | None = None) -> None:
        """It said something; `phase` if it said that it entered one."""
        self._seen_at = self._clock()
        self.phase = phase or self.phase

    def silent_for(self) -> float:
        """Seconds since the last sign of life."""
        return self._clock() - self._seen_at

    def overdue(self) -> bool:
        """Whether it has been silent for longer than its phase allows."""
        return self.silent_for() > self._deadlines[self.phase]
