"""Code that runs too long is ended, in any thread, and nothing else is."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from worker.trainer.time_limit import TooSlow, time_limit


def loop_without_end() -> None:
    while True:
        pass


def limited_loop() -> None:
    with time_limit(0.1):
        loop_without_end()


def test_a_loop_without_end_is_ended_and_this_thread_is_as_before() -> None:
    before, began = sys.gettrace(), time.thread_time()
    with pytest.raises(TooSlow):
        limited_loop()
    assert 0.1 <= time.thread_time() - began < 1
    assert sys.gettrace() is before


def test_so_it_is_in_another_thread_while_this_one_goes_on() -> None:
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(limited_loop) for _ in range(2)]
        assert [type(call.exception(20)) for call in calls] == [TooSlow, TooSlow]


def test_what_is_done_in_time_is_left_alone() -> None:
    before = sys.gettrace()
    with time_limit(5):
        assert sorted(range(100), key=lambda number: -number)[0] == 99
    assert sys.gettrace() is before


def test_code_elsewhere_is_looked_at_when_it_calls() -> None:
    template: dict[str, Any] = {}
    exec(compile("def loop():\n    while True:\n        pass\n", "<template>", "exec"), template)

    def calling() -> None:
        while True:
            _nothing()

    for endless in (template["loop"], calling):
        began = time.thread_time()
        with pytest.raises(TooSlow), time_limit(0.1, only_in="<template>"):
            endless()
        assert 0.1 <= time.thread_time() - began < 1


def _nothing() -> None:
    return None
