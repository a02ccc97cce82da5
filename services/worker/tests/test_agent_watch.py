"""What goes on all through an attempt: waiting, retrying, and letting go."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from kargah.domain.errors import StaleAttempt, Unavailable
from kargah.ports.object_store import StoreUnavailable
from worker.agent.background import Background
from worker.agent.collector import Collector
from worker.agent.ending import Ending, Failed, GivenBack, Over, Paused
from worker.agent.keeper import LeaseKeeper, Loss, Pace
from worker.agent.watch import Lost, Watch
from worker.testing.memory_ledger import MemoryLedger
from worker.testing.processes import until


def never() -> Ending | None:
    return None


class Site:
    """A watch on an attempt whose ledger is in memory."""

    def __init__(self, ledger: MemoryLedger, lease: float = 30.0) -> None:
        woken = threading.Event()
        self.ledger = ledger
        self.collector = Collector()
        self.background = Background(woken.set)
        self.keeper = LeaseKeeper(
            ledger, Pace(lease, 0.05), time.monotonic(), on_loss=lambda _loss: None, on_change=woken.set
        )
        self.watch = Watch(ledger, self.keeper, self.background, self.collector, woken)


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site(MemoryLedger())
    with site.keeper:
        yield site
    site.background.close(5)


def failing(times: int, error: Exception) -> Callable[[], str]:
    left = [times]

    def task() -> str:
        if left[0] > 0:
            left[0] -= 1
            raise error
        return "done"

    return task


def test_reports_flow_while_something_is_waited_for(site: Site) -> None:
    site.collector.log("info", "hello")
    site.watch.wait_until(lambda: bool(site.ledger.batches), never)
    assert [entry.message for entry in site.ledger.batches[0].logs] == ["hello"]


def test_reports_that_could_not_be_stored_come_in_order_later(site: Site) -> None:
    site.collector.log("info", "one")
    site.watch.wait_until(lambda: bool(site.ledger.batches), never)
    site.ledger.unavailable = 1_000_000
    site.collector.log("info", "two")
    until(lambda: _flushed_in_vain(site), "a flush in vain")
    site.collector.log("info", "three")
    site.ledger.unavailable = 0
    site.watch.flush()
    told = [entry.message for batch in site.ledger.batches for entry in batch.logs]
    assert told == ["one", "two", "three"]


def _flushed_in_vain(site: Site) -> bool:
    site.watch.flush_if_due()
    return site.collector._offered is not None


def test_a_write_is_insisted_on(site: Site) -> None:
    assert site.watch.insist(failing(1, Unavailable("away"))) == "done"


def test_a_refused_write_is_a_loss(site: Site) -> None:
    with pytest.raises(Lost):
        site.watch.insist(failing(1, StaleAttempt("not yours")))
    assert site.keeper.loss is Loss.STALE


def test_insisting_ends_with_the_lease() -> None:
    site = Site(MemoryLedger(unavailable=1_000_000), lease=1.0)
    with site.keeper, pytest.raises(Lost) as lost:
        site.watch.insist(failing(1_000_000, Unavailable("away")))
    assert lost.value.loss is Loss.LEASE
    site.background.close(5)


def test_waiting_can_be_interrupted(site: Site) -> None:
    held = site.background.submit(lambda: site.background.pause(30))
    with pytest.raises(Over) as over:
        site.watch.wait_for(held, Paused)
    assert over.value.ending == Paused()


def test_a_loss_in_the_background_is_noticed(site: Site) -> None:
    with pytest.raises(Lost):
        site.watch.wait_for(site.background.submit(failing(1, StaleAttempt("not yours"))), never)


def test_foreseen_errors_end_the_attempt_and_others_come_through(site: Site) -> None:
    with pytest.raises(Over) as over:
        site.watch.wait_for(site.background.submit(failing(1, StoreUnavailable("503"))), never)
    assert isinstance(over.value.ending, GivenBack)
    with pytest.raises(ZeroDivisionError):
        site.watch.wait_for(site.background.submit(failing(1, ZeroDivisionError())), never)


def test_a_finished_training_outlasts_an_outage(site: Site) -> None:
    assert site.watch.persist(failing(2, StoreUnavailable("503")), never) == "done"


def test_what_is_wrong_for_good_is_not_tried_again(site: Site) -> None:
    with pytest.raises(Over) as over:
        site.watch.persist(failing(1, OSError("disk")), never)
    assert isinstance(over.value.ending, Failed)
