"""A service that hangs holds few callers, and is asked again."""

from __future__ import annotations

import httpx
import pytest

from gateway.breaker import Breaker
from kargah.domain.errors import Unavailable


class Clock:
    """What the breaker takes for the time."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def _breaker() -> tuple[Clock, Breaker]:
    clock = Clock()
    return clock, Breaker("registry", pause=2, timeout=7, clock=clock)


def _time_out(breaker: Breaker) -> None:
    with pytest.raises(httpx.ReadTimeout), breaker.asking():
        raise httpx.ReadTimeout("nobody answers")


def test_after_a_timeout_others_are_told_at_once_and_one_tries_again() -> None:
    clock, breaker = _breaker()
    _time_out(breaker)
    clock.now += 1.9
    with pytest.raises(Unavailable, match="The registry has just"), breaker.asking():
        raise AssertionError("asked")
    clock.now += 0.1
    with breaker.asking(), pytest.raises(Unavailable), breaker.asking():
        raise AssertionError("two ask at once")
    with breaker.asking(), breaker.asking():
        pass


def test_a_service_that_hangs_on_is_asked_once_a_pause() -> None:
    clock, breaker = _breaker()
    for _ in range(3):
        _time_out(breaker)
        with pytest.raises(Unavailable), breaker.asking():
            raise AssertionError("asked")
        clock.now += 2


def test_a_refused_connection_is_no_reason_to_stop_asking() -> None:
    clock, breaker = _breaker()
    _time_out(breaker)
    clock.now += 2
    with pytest.raises(httpx.ConnectError), breaker.asking():
        raise httpx.ConnectError("it restarts")
    with breaker.asking():
        pass
