"""Calls that block for long, such as downloads, while somebody hears that they go on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

Result = TypeVar("Result")
_POLL_SECONDS = 0.5


def watched(work: Callable[[], Result], tick: Callable[[], None]) -> Result:
    """What `work` returns, run in a thread of its own; raises what it raises, and what `tick` raises to end the wait.

    `tick` is called at once and then twice a second. The thread is a daemon: nobody waits for a stalled connection.
    """
    future: Future[Result] = Future()
    threading.Thread(target=_run, args=(work, future), daemon=True).start()
    while not future.done():
        tick()
        wait([future], _POLL_SECONDS)
    return future.result()


def _run(work: Callable[[], Result], future: Future[Result]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # the edge of a thread: raised again in the one that waits
        future.set_exception(error)
