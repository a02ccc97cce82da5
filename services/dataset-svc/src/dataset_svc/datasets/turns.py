"""Checking a file takes memory and processors: some are checked at a time, some wait, and no more are taken in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from kargah.domain.errors import Busy

_SMALL = 1 << 20  # bytes: files up to this size take no turn, if there is no more in them
_SECONDS = 5  # after which to try again


def is_large(size: int) -> bool:
    """Whether a file of so many bytes takes a turn, whatever is in it."""
    return size > _SMALL


class Turns:
    """`at_once` large files are checked at a time, whichever way they came. Of those that come in one request, so many
    more may arrive and wait, `waiting`."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._free = threading.Semaphore(at_once)
        self._places = threading.Semaphore(at_once + waiting)

    @contextmanager
    def place(self, size: int | None) -> Iterator[None]:
        """To receive a file of that size (None: not known) and have it checked. Raises Busy where too many are
        under way, before anything is read of it."""
        if size is not None and not is_large(size):
            yield
            return
        if not self._places.acquire(blocking=False):
            hint = "try again in a moment, or send large files in parts"
            raise Busy("as many large files as can be taken are under way", hint, extra={"seconds": _SECONDS})
        try:
            yield
        finally:
            self._places.release()

    @contextmanager
    def turn(self, *, large: bool) -> Iterator[None]:
        """To check a file: one that is large, or may be once unpacked, waits until fewer of them are checked."""
        if not large:
            yield
            return
        with self._free:
            yield
