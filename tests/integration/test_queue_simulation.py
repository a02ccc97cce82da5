"""The quick form of `make simulate`: the real policy on simulated time, and a small run on a real Postgres."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from benchmarks.queue_simulation.__main__ import measure, simulate
from benchmarks.queue_simulation.cluster import Cluster, Policy, check
from benchmarks.queue_simulation.figures import Summary, jain, percentile
from benchmarks.queue_simulation.load import Load, arrivals
from benchmarks.queue_simulation.plot import svg
from benchmarks.queue_simulation.report import cost_tables, simulation_tables
from kargah.domain.queue_policy import PRIORITY_SECONDS, Head

_LOAD = Load(workers=200, jobs=20_000)
_SMALL = Load(workers=20, jobs=1_000, owners=6)


@pytest.fixture(scope="module")
def runs() -> tuple[list[Summary], str, str]:
    summaries, panels = simulate(_LOAD)
    return summaries, svg(panels), simulation_tables(summaries)


def test_every_job_ends_once_and_poison_ends_in_error(runs: tuple[list[Summary], str, str]) -> None:
    for summary in runs[0]:
        assert summary.completed + summary.failed == _LOAD.jobs
        assert summary.failed == sum(arrival.poison for arrival in arrivals(_LOAD))
        assert summary.claims == _LOAD.jobs + summary.crashes - summary.failed
        assert 0.7 < summary.utilisation <= 1


def test_the_policy_is_fair_and_its_negative_controls_are_not(runs: tuple[list[Summary], str, str]) -> None:
    real, unshared, first_come = runs[0]
    assert real.jain > 0.7 > 0.4 > max(unshared.jain, first_come.jain)
    assert real.small_owners.p99 < first_come.small_owners.p99 / 2


def test_priority_shortens_the_wait(runs: tuple[list[Summary], str, str]) -> None:
    _, unshared, first_come = runs[0]
    assert unshared.by_priority["+10"].p50 < unshared.by_priority["-1"].p50 / 10
    assert first_come.by_priority["+10"].p50 > first_come.by_priority["-1"].p50 / 10


def test_without_shares_nobody_is_overtaken_for_longer_than_priorities_are_worth() -> None:
    """Starvation's bound: a job waits at most for what came before it, and 11 levels of priority."""
    outcome = Cluster(_SMALL, Policy("priorities", share_seconds=0.0)).run(arrivals(_SMALL))
    fifo = Cluster(_SMALL, Policy("first come", 0.0, False)).run(arrivals(_SMALL))
    longest = max(job.waited for job in fifo.jobs if job.owner not in _SMALL.quotas)
    limit = longest + 11 * PRIORITY_SECONDS + max(arrival.seconds for arrival in arrivals(_SMALL))
    assert max(job.waited for job in outcome.jobs if job.owner not in _SMALL.quotas) < limit


def test_the_same_seed_is_the_same_run() -> None:
    first, second = (Cluster(_SMALL, Policy("real")).run(arrivals(_SMALL)) for _ in range(2))
    assert [job.waited for job in first.jobs] == [job.waited for job in second.jobs]
    other = Load(workers=20, jobs=1_000, owners=6, seed=2)
    assert [job.waited for job in first.jobs] != [
        job.waited for job in Cluster(other, Policy("real")).run(arrivals(other)).jobs
    ]


def test_the_simulation_catches_what_it_should(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative controls: a policy that forgets quotas, and a job that is given twice."""

    def heedless(heads: list[Head], share_seconds: float) -> Head | None:
        return min(heads, key=lambda head: head.rank, default=None)

    outcome = Cluster(_SMALL, Policy("real")).run(arrivals(_SMALL))
    check(outcome, _SMALL.jobs)
    with pytest.raises(AssertionError, match="lost"):
        check(outcome, _SMALL.jobs + 1)
    with pytest.raises(AssertionError, match="claim in completed"):
        Cluster(_SMALL, Policy("real"))._start(outcome.jobs[0])
    monkeypatch.setattr("benchmarks.queue_simulation.cluster.choose", heedless)
    with pytest.raises(AssertionError, match="quota"):
        check(Cluster(_SMALL, Policy("heedless")).run(arrivals(_SMALL)), _SMALL.jobs)


def test_figures() -> None:
    assert jain([3.0, 3.0, 3.0]) == pytest.approx(1.0)
    assert jain([1.0, 0.0, 0.0, 0.0]) == pytest.approx(0.25)
    assert jain([0.0, 0.0]) == 1.0
    assert (percentile([], 0.5), percentile([1.0, 2.0, 3.0, 4.0], 0.5), percentile([1.0], 0.99)) == (0.0, 3.0, 1.0)


def test_the_report_can_be_read(runs: tuple[list[Summary], str, str]) -> None:
    _, plot, tables = runs
    drawn = ElementTree.fromstring(plot)
    lines = [element for element in drawn.iter() if element.tag.endswith("polyline")]
    assert len(lines) == 1 + 3 + 3
    assert "| priority |" in tables and "| Jain's index of owners that wait |" in tables


@pytest.mark.campaign
def test_the_costs_are_measured_on_a_real_server() -> None:
    costs = measure(pending=(500, 2_000), running=200, connections=(2,), seconds=0.2)
    parts = costs.statements.parts
    assert parts["heartbeat"] == 1 and 3 <= parts["claim"] <= 8
    assert set(parts) == {
        "submit", "claim", "start", "heartbeat", "report", "checkpoint", "announcement", "finish",
    }  # fmt: skip
    assert [(one.pending, one.running) for one in costs.latencies] == [(500, 0), (2_000, 0), (2_000, 200)]
    for rates in (costs.claims, costs.heartbeats, costs.reports):
        assert all(rate.per_second > 1 and rate.cpu_ms >= 0 for rate in rates)
    assert [bound.workers for bound in costs.bounds] == sorted(bound.workers for bound in costs.bounds)
    assert "| connections |" in cost_tables(costs)
