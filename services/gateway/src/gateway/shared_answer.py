"""One question on behalf of all who ask the same at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, wait
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class SharedAnswer(Generic[Answer]):
    """An answer never is older than its question: who asks while the same is being asked waits for the next time, which
    all who came meanwhile share. So nothing is remembered, and a crowd asks about as often as one caller would."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[Hashable, Future[Answer]] = {}
        self._next: dict[Hashable, Future[Answer]] = {}

    def ask(self, key: Hashable, call: Callable[[], Answer]) -> Answer:
        """What `call` returns or raises, carried out by this thread or by another with an equal `key`."""
        with self._lock:
            ahead = self._under_way.get(key)
            leads = ahead is None or key not in self._next
            mine = self._under_way.setdefault(key, Future()) if ahead is None else self._next.setdefault(key, Future())
        if leads:
            if ahead is not None:
                wait([ahead])
            self._carry_out(key, mine, call)
        return mine.result()

    def _carry_out(self, key: Hashable, mine: Future[Answer], call: Callable[[], Answer]) -> None:
        try:
            answer = call()
        except BaseException as error:
            self._make_way(key)
            mine.set_exception(error)
        else:
            self._make_way(key)
            mine.set_result(answer)

    def _make_way(self, key: Hashable) -> None:
        """Who comes from now on waits for the next time, even if that has not begun yet."""
        with self._lock:
            following = self._next.pop(key, None)
            if following is None:
                del self._under_way[key]
            else:
                self._under_way[key] = following
