"""An end to Python code that runs too long: a template may loop for ever."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class TooSlow(Exception):
    """Raised inside of code that has used up its time."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TooSlow within the block once it has taken `seconds`; one call into C is not interrupted."""
    thread, lock, over, struck = ctypes.c_ulong(threading.get_ident()), threading.Lock(), False, False

    def interrupt() -> None:
        nonlocal struck
        with lock:
            if not over:
                struck = True
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(TooSlow))

    timer = threading.Timer(seconds, interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with lock:
            over = True
        timer.cancel()
        if struck:  # it may not have been felt yet, and must not be outside of the block
            ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, None)
