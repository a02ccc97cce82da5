"""Shutting down with grace: SIGTERM asks for it, and everybody looks here."""

from __future__ import annotations

import time
from collections.abc import Callable

_RESERVE_SECONDS = 2.0
_RESERVE_SHARE = 0.25


class Drain:
    """`grace_seconds` from `begin` until the process should have ended; a part of it is kept for giving the job
    back. `begin` may be called in a signal handler: it only sets an attribute."""

    def __init__(self, grace_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._allowed = grace_seconds - min(_RESERVE_SECONDS, grace_seconds * _RESERVE_SHARE)
        self._clock = clock
        self._began_at: float | None = None

    def begin(self) -> None:
        """Only the first call counts."""
        if self._began_at is None:
            self._began_at = self._clock()

    @property
    def wanted(self) -> bool:
        """Whether the agent should end."""
        return self._began_at is not None

    def time_up(self) -> bool:
        """Whether the trainer has had all the time there was."""
        return self._began_at is not None and self._clock() - self._began_at > self._allowed
