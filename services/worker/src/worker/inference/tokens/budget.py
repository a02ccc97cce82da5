"""The time that a request may compute: a template is code from elsewhere, and rows may be many."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from worker.trainer.time_limit import time_limit

_TEMPLATE = "<template>"  # the file that jinja says its templates come from


class OutOfTime(BaseException):
    """What was computed in the block had not ended when the time was up.

    No Exception: whatever runs in the block, a template say, must not take it for an error of its own and go on.
    """


class Budget:
    """Ends when this thread has computed for `seconds`, or when twice that time has gone by."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._computed = time.thread_time() + seconds
        self._passed = time.monotonic() + 2 * seconds

    @property
    def left(self) -> float:
        """Seconds of computing; 0 or less when the time is up."""
        return min(self._computed - time.thread_time(), self._passed - time.monotonic())

    @contextmanager
    def spend(self) -> Iterator[None]:
        """Raises OutOfTime when the time is up before the block ends."""
        if self.left <= 0:
            raise OutOfTime
        with time_limit(self.left, OutOfTime, only_in=_TEMPLATE):
            yield
