"""One thread for what takes long (downloads, uploads), so that supervision never waits for it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import BinaryIO, TypeVar, cast

from kargah.telemetry.ids import in_this_context

Result = TypeVar("Result")


class Aborted(Exception):
    """The attempt is over; what was under way is dropped."""


class Background:
    """Runs tasks one after the other. A daemon thread: a store that hangs does not keep the agent from ending."""

    def __init__(self, on_done: Callable[[], None]) -> None:
        """`on_done` is called in the background thread after each task."""
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._on_done = on_done
        self._aborted = threading.Event()
        self._thread = threading.Thread(target=self._work, name="background", daemon=True)
        self._thread.start()

    def submit(self, task: Callable[[], Result]) -> Future[Result]:
        """Queue `task`; its result or error is in the future."""
        future: Future[Result] = Future()
        self._tasks.put(in_this_context(lambda: self._run(task, future)))
        return future

    def abort(self) -> None:
        """End the task under way at its next `check`, and do none of the waiting ones."""
        self._aborted.set()

    def close(self, timeout: float) -> None:
        """Abort, and wait a little for the thread to end."""
        self.abort()
        self._tasks.put(None)
        self._thread.join(timeout)

    def check(self, _count: int = 0) -> None:
        """For tasks to call now and then (with a count of bytes, or without). Raises Aborted after `abort`."""
        if self._aborted.is_set():
            raise Aborted

    def pause(self, seconds: float) -> None:
        """Sleep within a task. Raises Aborted as soon as `abort` is called."""
        self._aborted.wait(seconds)
        self.check()

    def guarded(self, stream: BinaryIO) -> BinaryIO:
        """`stream`, whose reads raise Aborted after `abort`."""
        return cast(BinaryIO, _Guarded(stream, self.check))

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()
            self._on_done()

    def _run(self, task: Callable[[], Result], future: Future[Result]) -> None:
        try:
            self.check()
            future.set_result(task())
        except BaseException as error:  # handed to whoever reads the future, like any executor does
            future.set_exception(error)


class _Guarded:
    def __init__(self, stream: BinaryIO, check: Callable[[], None]) -> None:
        self._stream = stream
        self._check = check

    def read(self, size: int = -1) -> bytes:
        self._check()
        return self._stream.read(size)
