"""Restarts with growing pauses."""

from __future__ import annotations

from kargah.embedded.pauses import Pauses


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_pauses_double_up_to_a_minute_and_begin_anew_after_a_stable_time() -> None:
    clock = Clock()
    pauses = Pauses(clock)
    started = []
    for _ in range(200):
        if pauses.due("gateway"):
            started.append(clock.now - 1000.0)
        clock.now += 1.0
    assert started == [0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 63.0, 123.0, 183.0]
    clock.now += 300.0
    assert pauses.due("gateway") and not pauses.due("gateway")
    clock.now += 1.0
    assert pauses.due("gateway")


def test_each_name_has_its_own() -> None:
    pauses = Pauses(Clock())
    assert pauses.due("worker") and pauses.due("registry") and not pauses.due("worker")
