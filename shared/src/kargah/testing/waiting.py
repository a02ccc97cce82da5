"""Wait for something that another thread or process brings about: poll with a deadline, never a bare sleep."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import TypeVar

from kargah.embedded.ports import LOOPBACK

T = TypeVar("T")


def wait_until(condition: Callable[[], T | None], *, timeout: float = 10.0, every: float = 0.02) -> T:
    """The first true value of `condition`. Raises `AssertionError` after `timeout` seconds without one."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {getattr(condition, '__name__', condition)}")
        time.sleep(every)
    return value


def port_is_open(port: int) -> bool:
    """Whether something accepts TCP connections on `port` of loopback within half a second."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=0.5):
            return True
    except OSError:
        return False
