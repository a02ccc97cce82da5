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
def time_limit(seconds: float, error: type[BaseException] = TooSlow, *, only_in: str | None = None) -> Iterator[None]:
    """Raise `error` in a call made within the block once this thread has computed for `seconds` of CPU time.

    Each line that runs is looked at, which makes the block several times slower; one call into C is not interrupted.
    With `only_in`, the file name of some code (templates have a made-up one), that code is so looked at and all other
    only when it calls a function, which costs half as much: enough for code whose own loops all call something.
    Works in any thread. (An exception set from another thread costs nothing, but in CPython 3.11 it can leave the
    whole process waiting for the interpreter's lock.)
    """
    end = time.thread_time() + seconds

    def look(frame: FrameType, event: str, _value: Any) -> Any:
        if time.thread_time() > end:
            raise error
        if event == "call" and only_in is not None and frame.f_code.co_filename != only_in:
            return None
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        yield
    finally:
        sys.settrace(before)
