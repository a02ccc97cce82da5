"""How many large files are on their way at once: each takes a thread of the server, and the others stay free."""

from __future__ import annotations

from collections.abc import Callable
from threading import BoundedSemaphore, Lock

from gateway.stored_files import Open, Opened
from kargah.domain.errors import Busy

_BUSY_SECONDS = 5


class DownloadSlots:
    """Safe to share between threads."""

    def __init__(self, at_once: int) -> None:
        self._slots = BoundedSemaphore(at_once)

    def take(self) -> Callable[[], None]:
        """What gives the slot back, once however often it is called. Raises Busy."""
        if not self._slots.acquire(blocking=False):
            raise Busy(
                "As many files are being downloaded as can be at once.",
                hint="Try again in a moment.",
                extra={"seconds": _BUSY_SECONDS},
            )
        lock, taken = Lock(), [True]

        def free() -> None:
            with lock:
                if taken:
                    taken.clear()
                    self._slots.release()

        return free

    def counted(self, opened: Open) -> Open:
        """Each object that is open takes a slot. The call raises Busy as well."""

        def open_one(key: str, start: int, stop: int) -> Opened:
            free = self.take()
            try:
                chunks, close = opened(key, start, stop)
            except BaseException:
                free()
                raise
            return chunks, lambda: (close(), free())

        return open_one
