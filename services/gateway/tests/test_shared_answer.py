"""Questions that go as one: never an answer that is older than its question."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from gateway.shared_answer import SharedAnswer
from kargah.testing.waiting import wait_until


class _Service:
    """Answers with the number of the call, once it may; `version` is what it knows at that moment."""

    def __init__(self) -> None:
        self.calls = 0
        self.version = "old"
        self.may_answer = threading.Semaphore(0)
        self.broken = False

    def __call__(self) -> tuple[int, str]:
        self.calls += 1
        number, version = self.calls, self.version
        assert self.may_answer.acquire(timeout=10)
        if self.broken:
            raise LookupError("no")
        return number, version


def _asking(pool: ThreadPoolExecutor, shared: SharedAnswer[Any], call: Callable[[], Any]) -> list[Future[Any]]:
    return [pool.submit(shared.ask, "key", call) for _ in range(6)]


def _waiting(answer: Future[Any]) -> int:
    waiters: Sized = vars(answer._condition)["_waiters"]
    return len(waiters)


def test_those_who_come_meanwhile_share_a_later_answer() -> None:
    shared: SharedAnswer[Any] = SharedAnswer()
    service = _Service()
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(shared.ask, "key", service)
        wait_until(lambda: service.calls == 1)
        service.version = "new"
        later = _asking(pool, shared, service)
        wait_until(lambda: "key" in shared._next and _waiting(shared._next["key"]) == 5)  # the sixth asks for them
        service.may_answer.release(2)
        assert first.result(10) == (1, "old")
        answers = [one.result(10) for one in later]
    assert all(version == "new" for _, version in answers), "nobody was told what held before they asked"
    assert service.calls == 2
    assert not shared._under_way and not shared._next


def test_an_error_is_everybodys_and_not_remembered() -> None:
    shared: SharedAnswer[Any] = SharedAnswer()
    service = _Service()
    service.broken = True
    for _ in range(8):
        service.may_answer.release()
    with ThreadPoolExecutor(8) as pool:
        for one in _asking(pool, shared, service):
            with pytest.raises(LookupError):
                one.result(10)
    assert shared.ask("key", lambda: "well again") == "well again"


def test_different_questions_do_not_wait_for_each_other() -> None:
    shared: SharedAnswer[Any] = SharedAnswer()
    service = _Service()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(shared.ask, "slow", service)
        wait_until(lambda: service.calls == 1)
        assert shared.ask("quick", lambda: 5) == 5
        service.may_answer.release()
        assert slow.result(10) == (1, "old")
