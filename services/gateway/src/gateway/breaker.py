"""Not asking for a while what has just let others wait in vain."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from kargah.domain.errors import Unavailable


class Breaker:
    """After a question that timed out, none is asked for `pause` seconds; then one at a time, until one is answered.

    A service that hangs then holds a caller's thread for one timeout, not each for as long.
    """

    def __init__(self, service: str, pause: float, timeout: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`timeout`: the most seconds that a question takes."""
        self._clock = clock
        self._service = service
        self._pause = pause
        self._timeout = timeout
        self._lock = threading.Lock()
        self._closed_until: float | None = None

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Around a question. Raises Unavailable at once where none is to be asked now."""
        self._enter()
        closed_until = None
        try:
            yield
        except httpx.TimeoutException:
            closed_until = self._clock() + self._pause
            raise
        finally:
            self._closed_until = closed_until

    def _enter(self) -> None:
        now = self._clock()
        with self._lock:
            if self._closed_until is None:
                return
            if now < self._closed_until:
                message = f"The {self._service} has just let a question time out."
                raise Unavailable(message, hint="Try again in a moment.")
            self._closed_until = now + self._timeout  # while this one asks
