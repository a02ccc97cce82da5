"""Whether this process has been asked to end: endless answers (event streams) look here and finish."""

from __future__ import annotations

import threading
from collections.abc import Callable

stopping = threading.Event()
_last: list[Callable[[], object]] = []


def at_end(finish: Callable[[], object]) -> None:
    """Call `finish` once the server answers no more, before the process ends; it must be quick."""
    _last.append(finish)


def finish_all() -> None:
    """The server's last deed."""
    while _last:
        _last.pop()()
