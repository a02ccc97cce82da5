"""The lease is renewed while all is well, and given up before it ends when not."""

from __future__ import annotations

import threading
import time

import pytest

from kargah.domain.job_state import Desired
from kargah.jobstore.values import Orders
from worker.agent.drain import Drain
from worker.agent.keeper import LeaseKeeper, Loss, Pace
from worker.agent.watchdog import Watchdog
from worker.testing.memory_ledger import MemoryLedger
from worker.testing.processes import until

PACE = Pace(lease=0.6, heartbeat=0.02)


class Heard:
    """What a keeper told, and when."""

    def __init__(self) -> None:
        self.losses: list[tuple[Loss, float]] = []
        self.changed = threading.Event()

    def keeper(self, ledger: MemoryLedger, pace: Pace = PACE) -> LeaseKeeper:
        def lost(loss: Loss) -> None:
            self.losses.append((loss, time.monotonic()))

        return LeaseKeeper(ledger, pace, time.monotonic(), on_loss=lost, on_change=self.changed.set)


class HangingLedger(MemoryLedger):
    """Never answers, as behind a broken network."""

    def __init__(self) -> None:
        super().__init__()
        self.release = threading.Event()

    def heartbeat(self) -> Orders:
        self.release.wait()
        return self.orders


def test_the_lease_is_kept_for_longer_than_it_lasts() -> None:
    heard, ledger = Heard(), MemoryLedger()
    with heard.keeper(ledger) as keeper:
        began = time.monotonic()
        until(lambda: time.monotonic() - began > 2 * PACE.lease, "two leases")
        assert keeper.loss is None and keeper.remaining() > 0
    assert ledger.heartbeats > 5 and heard.losses == []


def test_a_stale_attempt_is_told_once() -> None:
    heard, ledger = Heard(), MemoryLedger(stale=True)
    with heard.keeper(ledger) as keeper:
        until(heard.changed.is_set, "the loss")
        keeper.lose(Loss.LEASE)
    assert keeper.loss is Loss.STALE
    assert [loss for loss, _at in heard.losses] == [Loss.STALE]


@pytest.mark.parametrize("ledger", [MemoryLedger(unavailable=1_000_000), HangingLedger()])
def test_without_the_database_it_is_over_before_the_lease(ledger: MemoryLedger) -> None:
    heard = Heard()
    keeper = heard.keeper(ledger)
    claimed_at = time.monotonic()
    with keeper:
        until(lambda: bool(heard.losses), "the loss")
    (loss, at) = heard.losses[0]
    assert loss is Loss.LEASE
    assert 0.7 * PACE.lease < at - claimed_at < PACE.lease
    if isinstance(ledger, HangingLedger):
        ledger.release.set()


def test_a_short_outage_changes_nothing() -> None:
    heard, ledger = Heard(), MemoryLedger(unavailable=3)
    with heard.keeper(ledger):
        until(lambda: ledger.heartbeats > 3, "heartbeats after the outage")
    assert heard.losses == []


def test_new_orders_are_told() -> None:
    heard, ledger = Heard(), MemoryLedger()
    with heard.keeper(ledger) as keeper:
        until(lambda: keeper.orders is not None, "the first orders")
        heard.changed.clear()
        ledger.orders = Orders(Desired.PAUSE, None)
        until(heard.changed.is_set, "the change")
        assert keeper.orders == Orders(Desired.PAUSE, None)


def test_nothing_is_lost_after_the_end() -> None:
    heard, ledger = Heard(), MemoryLedger()
    with heard.keeper(ledger) as keeper:
        pass
    keeper.lose(Loss.STALE)
    assert heard.losses == [] and keeper.loss is None


def test_watchdog_follows_the_phases_deadline() -> None:
    now = [0.0]
    watchdog = Watchdog({"preparing": 10.0, "training": 2.0}, lambda: now[0])
    now[0] = 9.0
    assert not watchdog.overdue()
    watchdog.alive("training")
    now[0] = 10.9
    assert not watchdog.overdue()
    watchdog.alive()
    now[0] = 13.0
    assert watchdog.overdue() and watchdog.silent_for() == pytest.approx(2.1)


def test_drain_keeps_time_for_giving_the_job_back() -> None:
    now = [100.0]
    drain = Drain(15.0, lambda: now[0])
    assert not drain.wanted and not drain.time_up()
    drain.begin()
    now[0] = 112.9
    drain.begin()
    assert drain.wanted and not drain.time_up()
    now[0] = 113.1
    assert drain.time_up()
