"""Threads that own processes: a child dies with the thread that started it, so such a thread lives all along."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


class Host:
    """One thread that starts, stops and restarts something; whoever asks waits."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    def run(self, work: Callable[[], Result]) -> Result:
        """What `work` returns or raises, in the host's thread."""
        return self._pool.submit(work).result()

    def close(self) -> None:
        """End the thread, and with it what it started and nobody stopped."""
        self._pool.shutdown(wait=True)
