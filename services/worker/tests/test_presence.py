"""A worker's row: there while it is, told its job at once, gone at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kargah.contracts.queue import WorkerView
from kargah.domain.errors import Unavailable
from kargah.jobstore.values import RetryPolicy
from kargah.jobstore.worker_repository import list_workers
from kargah.testing.jobs import JobBench, job_bench
from kargah.testing.waiting import wait_until
from worker.agent.config import visible_gpus
from worker.agent.ledger import PostgresLedger
from worker.agent.presence import Presence, ShownLedger, device_facts

_NEVER = 3600.0


@pytest.fixture
def bench(database_url_for: Callable[[str], str]) -> Iterator[JobBench]:
    with job_bench(database_url_for("gateway")) as bench:
        yield bench


def _ledger(bench: JobBench, name: str = "w1") -> PostgresLedger:
    return PostgresLedger(bench.engine, name, ("train",), 60.0, RetryPolicy())


def _row(bench: JobBench) -> WorkerView | None:
    return next(iter(bench.do(list_workers)), None)


def test_a_worker_is_seen_while_it_is_there(bench: JobBench) -> None:
    presence = Presence(_ledger(bench), {"cpus": 2}, every_seconds=0.05)
    presence.start()
    first = wait_until(lambda: _row(bench))
    assert (first.name, first.kinds, first.device, first.alive) == ("w1", ["train"], {"cpus": 2}, True)
    later = wait_until(lambda: (row := _row(bench)) and row.seen_at > first.seen_at and row)
    assert later.started_at == first.started_at
    presence.close()
    assert _row(bench) is None


def test_its_job_is_told_at_once(bench: JobBench) -> None:
    presence = Presence(_ledger(bench), {}, every_seconds=_NEVER)
    ledger = ShownLedger(_ledger(bench), presence)
    presence.start()
    wait_until(lambda: _row(bench))
    job_id = bench.submit()
    claim = ledger.claim()
    assert claim is not None and claim.job_id == job_id
    wait_until(lambda: (row := _row(bench)) is not None and row.job_id == job_id)
    assert ledger.claim() is None
    wait_until(lambda: (row := _row(bench)) is not None and row.job_id is None)
    presence.close()


def test_a_new_process_of_the_same_name_starts_anew(bench: JobBench) -> None:
    killed = Presence(_ledger(bench), {"cpus": 2}, every_seconds=_NEVER)
    killed.start()
    before = wait_until(lambda: _row(bench))
    again = Presence(_ledger(bench), {"cpus": 4}, every_seconds=_NEVER)
    again.start()
    after = wait_until(lambda: (row := _row(bench)) and row.device == {"cpus": 4} and row)
    assert after.started_at > before.started_at
    killed.close()
    again.close()


@dataclass
class _Book:
    """A guestbook that does not answer for a while."""

    failures: int
    seen: list[bool] = field(default_factory=list)

    def announce(self, device: Mapping[str, Any], job_id: str | None, *, first: bool) -> None:
        self.seen.append(first)
        if len(self.seen) <= self.failures:
            raise Unavailable("The database does not answer now.")

    def leave(self) -> None:
        raise Unavailable("The database does not answer now.")


def test_a_silent_database_is_tried_again_and_holds_nothing_up() -> None:
    book = _Book(failures=2)
    presence = Presence(book, {}, every_seconds=0.01)
    presence.start()
    wait_until(lambda: len(book.seen) >= 4)
    assert book.seen[:4] == [True, True, True, False]
    presence.close()


def test_graphics_cards_are_told_by_name(tmp_path: Path) -> None:
    for number, model in enumerate(("NVIDIA H100 80GB HBM3", "NVIDIA L4")):
        card = tmp_path / f"0000:0{number}:00.0"
        card.mkdir()
        (card / "information").write_text(f"Model: \t\t {model}\nIRQ:   \t\t 20\n")
    (tmp_path / "0000:09:00.0").mkdir()
    facts = device_facts(2, tmp_path)
    assert facts["gpus"] == ["NVIDIA H100 80GB HBM3", "NVIDIA L4"]
    assert facts["threads"] == 2 and facts["memoryBytes"] > 1 << 20
    assert facts["devices"] == 2 and device_facts(2, tmp_path, devices=5)["devices"] == 5
    assert device_facts(3, tmp_path / "none").items() >= {"gpus": [], "devices": 3}.items()
    assert visible_gpus(4, {"CUDA_VISIBLE_DEVICES": "0,2"}) == 2 and visible_gpus(4, {"CUDA_VISIBLE_DEVICES": ""}) == 0
