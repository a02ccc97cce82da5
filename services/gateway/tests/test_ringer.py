"""The doorbell never holds up whoever queues a job, and what it does not ring is left to the reconciler."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from gateway import ringer as module
from gateway.ringer import Ringer
from kargah.testing.waiting import wait_until
from kargah.web import shutdown


class _Bell:
    """Rings while it may; `broken` fails the next ring."""

    def __init__(self) -> None:
        self.rung: list[str] = []
        self.may_ring = threading.Event()
        self.broken = False

    def ring(self, job_id: str, kind: str) -> None:
        assert self.may_ring.wait(10)
        if self.broken:
            self.broken = False
            raise OSError("no broker")
        self.rung.append(job_id)


@pytest.fixture
def bell() -> _Bell:
    return _Bell()


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def ringer(bell: _Bell, registry: CollectorRegistry) -> Iterator[Ringer]:
    ringer = Ringer(bell, registry)
    ringer.start()
    yield ringer
    bell.may_ring.set()
    ringer.stop()


def _count(registry: CollectorRegistry, result: str) -> float:
    return registry.get_sample_value("kargah_bell_rings_total", {"result": result}) or 0.0


def test_rings_wait_in_order_while_the_bell_is_slow_and_all_come_before_the_end(bell: _Bell, ringer: Ringer) -> None:
    jobs = [f"job_{number}" for number in range(50)]
    for job_id in jobs:
        ringer.soon(job_id, "train")
    assert bell.rung == []
    bell.may_ring.set()
    ringer.stop()
    assert bell.rung == jobs


def test_what_waits_is_rung_when_the_process_ends(bell: _Bell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutdown, "_last", [])
    monkeypatch.setattr(module, "_LAST_SECONDS", 20.0)
    ringer = Ringer(bell, CollectorRegistry())
    ringer.start()
    for number in range(5):
        ringer.soon(f"job_{number}", "train")
    bell.may_ring.set()
    shutdown.finish_all()
    assert len(bell.rung) == 5


def test_a_bell_that_fails_at_the_end_is_not_tried_again(bell: _Bell) -> None:
    ringer = Ringer(bell, CollectorRegistry())
    ringer.soon("job_last", "train")
    ringer.stop()
    ringer.soon("job_late", "train")
    bell.broken = True
    bell.may_ring.set()
    ringer.start()
    ringer._thread.join(20)
    assert not bell.broken and bell.rung == []


def test_what_waits_behind_a_bell_that_fails_is_dropped(
    bell: _Bell, ringer: Ringer, registry: CollectorRegistry
) -> None:
    bell.broken = True
    for number in range(5):
        ringer.soon(f"job_{number}", "train")
    bell.may_ring.set()
    wait_until(lambda: _count(registry, "failed") + _count(registry, "dropped") == 5)
    ringer.soon("job_later", "train")
    wait_until(lambda: bell.rung == ["job_later"])


def test_more_than_workers_could_answer_is_dropped_at_once(
    bell: _Bell, ringer: Ringer, registry: CollectorRegistry
) -> None:
    for number in range(module._MOST_WAITING + 10):
        ringer.soon(f"job_{number}", "train")
    assert 9 <= _count(registry, "dropped") <= 10
    bell.may_ring.set()
    assert ringer.ring("job_now", "train")
