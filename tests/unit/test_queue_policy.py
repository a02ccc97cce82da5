"""The arithmetic of the queue."""

from __future__ import annotations

import pytest

from kargah.domain.queue_policy import (
    FAIR_SHARE_SECONDS,
    PRIORITY_SECONDS,
    Head,
    LivingWorker,
    choose,
    has_room,
    rank,
    rivals,
)


def _head(owner: str, at: float, *, running: int = 0, limit: int | None = None, kind: str = "train") -> Head:
    return Head(owner, kind, at, f"job_{owner}", running, limit)


def test_one_level_of_priority_is_worth_ten_minutes() -> None:
    assert rank(1000.0, 1) == 1000.0 - PRIORITY_SECONDS == 400.0
    assert rank(1000.0 + 2 * PRIORITY_SECONDS, 2) == rank(1000.0, 0) == 1000.0


def test_nobody_is_overtaken_for_ever() -> None:
    waiting = rank(0.0, -100)
    overtaking = [at for at in range(0, 200_000, 1000) if rank(float(at), 100) < waiting]
    assert max(overtaking) == 119_000  # 200 levels of ten minutes; whatever comes later comes after


def test_the_lowest_rank_goes_first_and_of_equals_the_lower_id() -> None:
    assert choose([_head("b", 10.0), _head("a", 10.0), _head("c", 9.0)]) == _head("c", 9.0)
    assert choose([_head("b", 10.0), _head("a", 10.0)]) == _head("a", 10.0)


def test_what_runs_counts_against_the_owner() -> None:
    busy = _head("busy", 0.0, running=2)
    assert choose([busy, _head("other", 2 * FAIR_SHARE_SECONDS - 1)]) != busy
    assert choose([busy, _head("other", 2 * FAIR_SHARE_SECONDS + 1)]) == busy
    assert choose([busy, _head("other", 1.0)], share_seconds=0.0) == busy


@pytest.mark.parametrize(
    ("running", "limit", "room"), [(0, None, True), (10**6, None, True), (0, 0, False), (1, 2, True), (2, 2, False)]
)
def test_quota(running: int, limit: int | None, room: bool) -> None:
    assert has_room("train", running, limit) is room
    assert has_room("install", running, limit)
    chosen = choose([_head("a", 0.0, running=running, limit=limit)])
    assert (chosen is not None) is room


def test_nothing_is_chosen_of_nothing() -> None:
    assert choose([]) is None


def test_kinds_compete_where_one_worker_takes_both() -> None:
    both, only = LivingWorker(frozenset({"train", "install"})), LivingWorker(frozenset({"install", "export"}))
    assert rivals("train", [both, only]) == {"train", "install"}
    assert rivals("install", [both, only]) == {"train", "install", "export"}
    assert rivals("import", [both, only]) == frozenset()
