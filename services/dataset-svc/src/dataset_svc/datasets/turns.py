"""Checking a file takes memory and processors: some are checked at a time, some wait, and no more are taken in."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from kargah.access.principal import LOCAL_ADMIN, current_principal
from kargah.domain.errors import Busy
from kargah.domain.scope import EVERY

_SMALL = 1 << 20  # bytes: files up to this size take no turn, if there is no more in them
_SECONDS = 5  # after which to try again


def is_large(size: int) -> bool:
    """Whether a file of so many bytes takes a turn, whatever is in it."""
    return size > _SMALL


class Turns:
    """`at_once` large files are checked at a time, whichever way they came. Of those that come in one request, so many
    more may arrive and wait, `waiting`. Half of all these places are the most for one caller, and for one project:
    whoever sends slowly holds up nobody else."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._free = threading.Semaphore(at_once)
        self._places = threading.Semaphore(at_once + waiting)
        self._each = max(1, (at_once + waiting) // 2)
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    @contextmanager
    def place(self, size: int | None) -> Iterator[None]:
        """To receive a file of that size (None: not known) and have it checked. Raises Busy where too many are
        under way, or too many of the caller or the project, before anything is read of it."""
        if size is not None and not is_large(size):
            yield
            return
        with self._share(_whose()), self._any_place():
            yield

    @contextmanager
    def _share(self, whose: set[str]) -> Iterator[None]:
        with self._lock:
            if any(self._taken[each] >= self._each for each in whose):
                message = f"{self._each} large files of this caller or project are under way, and no more may be"
                raise Busy(message, "wait until one is done, or send large files in parts", extra={"seconds": _SECONDS})
            self._taken.update(whose)
        try:
            yield
        finally:
            with self._lock:
                self._taken -= Counter(whose)  # keeps no entry of who has none

    @contextmanager
    def _any_place(self) -> Iterator[None]:
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


def _whose() -> set[str]:
    """Where nobody logs in, all are one."""
    principal = current_principal()
    project = set() if principal.project == EVERY else {f"project:{principal.project}"}
    return project | ({principal.subject} if principal is not LOCAL_ADMIN else set())
