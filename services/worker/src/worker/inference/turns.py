"""Whose turn it is: one at a time, in the order of arrival, and only so many waiting."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from worker.inference.errors import Busy


class Turns:
    """A fair lock with a bounded queue."""

    def __init__(self, queue_length: int) -> None:
        self._queue_length = queue_length
        self._lock = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Event] = deque()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for one's turn and hold it. Raises Busy when too many wait already."""
        mine = self._enter()
        if mine is not None:
            mine.wait()
        try:
            yield
        finally:
            self._leave()

    def _enter(self) -> threading.Event | None:
        """None when it is our turn at once."""
        with self._lock:
            if not self._taken:
                self._taken = True
                return None
            if len(self._waiting) >= self._queue_length:
                raise Busy(f"{self._queue_length} requests wait for this model already.", hint="Try again in a moment.")
            mine = threading.Event()
            self._waiting.append(mine)
            return mine

    def _leave(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._taken = False
