"""Two projects on one job store: neither sees, changes or counts what is the other's."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from gateway.events.followers import Caller
from gateway.events.hub import EventHub
from gateway.events.stream import EventStreams
from gateway.jobs.service import CONTROLS
from gateway.queue.service import QueueService
from gateway.ringer import Ringer
from kargah.adapters.bells import PostgresBell
from kargah.contracts.queue import OwnerQuota
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import Conflict, NotFound
from kargah.domain.scope import EVERY, NOBODY, project_scope
from kargah.jobstore import (
    attempt_repository,
    checkpoint_repository,
    claim_repository,
    control_repository,
    query_repository,
    queue_repository,
    queue_view_repository,
    stats_repository,
    submission_repository,
    worker_repository,
)
from kargah.jobstore.values import Batch, EventEntry, JobFilter, LogEntry, MetricValue, NewCheckpoint
from kargah.telemetry.metrics import new_registry
from kargah.testing.jobs import JobBench, job_bench
from kargah.web.outlet import Outlet

ONE, OTHER = "one", "other"


@pytest.fixture
def bench(database_url_for: Callable[[str], str]) -> Iterator[JobBench]:
    with job_bench(database_url_for("gateway")) as bench:
        yield bench


def _worked_on(bench: JobBench, owner: str, **fields: Any) -> str:
    """A running job with something in every table."""
    job_id = bench.submit("same", owner=owner, **fields)
    bench.do(claim_repository.claim, ["train"], f"worker of {owner}", 60.0)
    metrics, logs = [MetricValue(1, "loss", 1.0)], [LogEntry("info", "hello")]
    bench.do(attempt_repository.record, job_id, 1, Batch(metrics=metrics, logs=logs, events=[EventEntry("sample", {})]))
    new = NewCheckpoint(step=1, epoch=0.5, size_bytes=3, reason="interval", prefix=f"jobs/{job_id}/1", metrics={})
    bench.do(attempt_repository.commit_checkpoint, job_id, 1, new)
    return job_id


def _seen(bench: JobBench, job_id: str) -> list[int]:
    """How many of the job's attempts, metrics, events, lines and checkpoints are to be seen."""
    return [
        len(bench.do(query_repository.list_attempts, job_id)),
        len(bench.metrics(job_id)),
        len(bench.do(query_repository.events_after, job_id, 0)),
        len(bench.do(query_repository.log_lines_after, job_id, 0, 10)),
        len(bench.do(checkpoint_repository.list_checkpoints, job_id)),
    ]


def test_a_foreign_job_is_not_there_and_nothing_under_it(bench: JobBench) -> None:
    mine, foreign = _worked_on(bench, ONE), _worked_on(bench, OTHER)
    every = _seen(bench, foreign)
    assert all(every)
    with project_scope(ONE):
        assert (_seen(bench, mine), _seen(bench, foreign)) == (every, [0] * 5)
        assert [job.id for job in bench.do(query_repository.list_jobs, JobFilter())[0]] == [mine]
        assert bench.do(query_repository.count_jobs, JobFilter()) == 1
        assert bench.do(query_repository.live_jobs_with_model, "x", None) == []
        assert sum(bench.do(stats_repository.queue_state).counts.values()) == 1
        assert list(bench.do(query_repository.tails, [mine, foreign])) == [mine]
        for ask in (query_repository.get_job, control_repository.lock_job):
            with pytest.raises(NotFound):
                bench.do(ask, foreign)
    with project_scope(NOBODY):
        assert _seen(bench, mine) == [0] * 5
        assert bench.do(query_repository.count_jobs, JobFilter()) == 0


@pytest.mark.parametrize("control", sorted(CONTROLS))
def test_a_foreign_job_cannot_be_controlled(bench: JobBench, control: str) -> None:
    foreign = _worked_on(bench, OTHER)
    before = bench.events(foreign)
    with project_scope(ONE), pytest.raises(NotFound):
        bench.do(CONTROLS[control], foreign)
    assert bench.events(foreign) == before


def test_nothing_is_written_for_another_project(bench: JobBench) -> None:
    foreign = _worked_on(bench, OTHER)
    with project_scope(ONE):
        with pytest.raises(ProgrammingError, match="row-level security"):
            bench.submit(owner=OTHER)
        with pytest.raises(NotFound):
            bench.do(checkpoint_repository.pin, foreign, "ckpt_x", True)
        assert bench.do(checkpoint_repository.hand_over, foreign, None) is None
        event = "INSERT INTO events (job_id, number, type, generation) VALUES (:job, 99, 'x', 1)"
        with pytest.raises(ProgrammingError, match="row-level security"), UnitOfWork(bench.engine) as tx:
            tx.connection.execute(text(event), {"job": foreign})


def test_an_idempotency_key_is_a_projects_own(bench: JobBench) -> None:
    keyed = {"idempotency_key": "key", "idempotency_digest": "same"}
    made = {}
    for project in (ONE, OTHER):
        with project_scope(project):
            made[project] = bench.submit(owner=project, **keyed)
            assert bench.submit(owner=project, **keyed) == made[project]
            with pytest.raises(Conflict):
                bench.submit(owner=project, idempotency_key="key", idempotency_digest="another")
    assert made[ONE] != made[OTHER]
    with project_scope(ONE):
        assert bench.do(submission_repository.find_submitted, OTHER, "key", "same") is None


def test_the_queue_tells_the_place_among_all_and_names_ones_own(bench: JobBench) -> None:
    ringer = Ringer(PostgresBell(bench.engine), new_registry())
    queue = QueueService(bench.engine, ringer)
    foreign = [bench.submit(owner=OTHER, priority=5) for _ in range(3)]
    mine = [bench.submit(owner=ONE) for _ in range(2)]
    bench.do(queue_repository.set_quota, OTHER, 2)
    with project_scope(ONE):
        view = queue.view(10)
        assert [entry.job_id for entry in view.items] == mine and view.total == 2
        assert [(entry.position, entry.ahead.first) for entry in view.items] == [(4, []), (5, mine[:1])]
        assert queue.entry(mine[1]).ahead.model_dump() == {"count": 4, "first": mine[:1]}
        assert [owner.name for owner in queue.owners().items] == [ONE]
        with pytest.raises(NotFound):
            queue.entry(foreign[0])
        with pytest.raises(ProgrammingError, match="row-level security"):
            queue.set_quota(OTHER, OwnerQuota(max_running=None))
    assert bench.do(queue_view_repository.get_owner, OTHER).max_running == 2


def test_a_worker_does_not_tell_whose_job_it_has(bench: JobBench) -> None:
    jobs = {project: bench.submit(owner=project) for project in (ONE, OTHER)}
    for project, job_id in jobs.items():
        bench.do(worker_repository.announce, project, ["train"], {}, job_id, first=True)
    with project_scope(ONE):
        told = {row.name: (row.busy, row.job_id) for row in bench.do(worker_repository.list_workers)}
    assert told == {ONE: (True, jobs[ONE]), OTHER: (True, None)}


def _all_until(last: bytes, hub: EventHub, outlet: Outlet) -> bytes:
    """What comes out, until `last` does."""
    here, there = socket.socketpair()
    with here, here.makefile("rb") as stream:
        here.settimeout(20)
        hub.pusher.adopt(outlet, there, chunked=False)
        return b"".join(iter(lambda: line if last not in (line := stream.readline()) else b"", b""))


def test_a_foreign_jobs_events_are_silent(
    bench: JobBench, database_url_for: Callable[[str], str], request: pytest.FixtureRequest
) -> None:
    hub = EventHub(bench.engine, database_url_for("gateway"), capacity=4, each=4)
    request.addfinalizer(hub.stop)
    hub.start()
    streams, caller = EventStreams(bench.engine, hub), Caller("local")
    mine, foreign = _worked_on(bench, ONE), _worked_on(bench, OTHER)
    with project_scope(ONE):
        for ask in (lambda: streams.page(foreign, 0, 10, None), lambda: streams.open(foreign, 0, None, None, caller)):
            with pytest.raises(NotFound):
                ask()
        outlet = streams.open(mine, 0, None, None, caller)
    told = _all_until(b"event: log", hub, outlet)
    assert b"event: status" in told and b"event: sample" in told


def test_the_claim_sees_all_and_a_project_takes_only_its_own(bench: JobBench) -> None:
    foreign = bench.submit(owner=OTHER, priority=9)
    mine = bench.submit(owner=ONE)
    with project_scope(ONE):
        claim = bench.claim()
    assert claim is not None and claim.job_id == mine
    with project_scope(EVERY):
        claim = bench.claim()
    assert claim is not None and claim.job_id == foreign
