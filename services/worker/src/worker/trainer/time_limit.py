"""An end to Python code that computes too long: a template may loop for ever."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class TooSlow(Exception):
    """Raised inside of code that has used up its time."""


@contextmanager
def time_limit(seconds: float, error: type[BaseException] = TooSlow) -> Iterator[None]:
    """Raise `error` in a call made within the block once this thread has computed for `seconds` of CPU time.

    Each line that runs is looked at, which makes the block several times slower; one call into C is not interrupted.
    Works in any thread. (An exception set from another thread costs nothing, but in CPython 3.11 it can leave the
    whole process waiting for the interpreter's lock.)
    """
    end = time.thread_time() + seconds

    def look(_frame: FrameType, _event: str, _value: Any) -> Any:
        if time.thread_time() > end:
            raise error
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        yield
    finally:
        sys.settrace(before)
