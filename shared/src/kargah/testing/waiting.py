"""Wait for something that another thread or process brings about: poll with a deadline, never a bare sleep."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T | None], *, timeout: float = 10.0, every: float = 0.02) -> T:
    """The first true value of `condition`. Raises `AssertionError` after `timeout` seconds without one."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {getattr(condition, '__name__', condition)}")
        time.sleep(every)
    return value
