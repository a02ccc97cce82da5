"""Code that runs too long is ended, and nothing else is."""

from __future__ import annotations

import contextlib
import time

import pytest

from worker.trainer.time_limit import TooSlow, time_limit


def test_a_loop_without_end_is_ended() -> None:
    began = time.monotonic()
    with pytest.raises(TooSlow), time_limit(0.1):
        while True:
            pass
    assert time.monotonic() - began < 5


def test_what_is_done_in_time_is_left_alone() -> None:
    for _ in range(50):
        with contextlib.suppress(TooSlow), time_limit(0.001):  # on a busy machine even this may take longer
            pass
    until = time.monotonic() + 0.1
    while time.monotonic() < until:  # a late blow would land here
        pass
