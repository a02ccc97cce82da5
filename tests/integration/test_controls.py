"""Controls on a real database: idempotent, withdrawn, chosen checkpoints, and the resume record."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text

from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import Conflict, Invalid, NotFound
from kargah.domain.job_state import Desired, Status
from kargah.jobstore import attempt_repository as attempts
from kargah.jobstore import checkpoint_repository, control_repository, query_repository
from kargah.jobstore.values import Batch, MetricValue, NewCheckpoint
from kargah.testing.jobs import JobBench, job_bench


@pytest.fixture
def bench(database_url_for: Callable[[str], str]) -> Iterator[JobBench]:
    with job_bench(database_url_for("gateway")) as bench:
        yield bench


def _save(bench: JobBench, job_id: str, generation: int, step: int, reason: str = "interval") -> str:
    new = NewCheckpoint(step, step / 10, 1, reason, f"jobs/{job_id}/{step}-{generation}/")
    return bench.do(attempts.commit_checkpoint, job_id, generation, new)


def _steps(bench: JobBench, job_id: str, generation: int, losses: dict[int, float], after: int | None = None) -> None:
    points = [MetricValue(step, "loss", loss) for step, loss in losses.items()]
    points += [MetricValue(step, "learning_rate", 0.1) for step in losses]
    bench.do(attempts.record, job_id, generation, Batch(metrics=points, resumed_at_step=after))


def _paused(bench: JobBench, *steps: int) -> tuple[str, list[str]]:
    """A paused job with checkpoints at `steps`; its id and theirs."""
    claim = bench.running()
    ids = [_save(bench, claim.job_id, 1, step) for step in steps]
    bench.do(control_repository.request_pause, claim.job_id)
    bench.do(attempts.paused, claim.job_id, 1)
    return claim.job_id, ids


@pytest.mark.parametrize("control", ["pause", "resume", "stop", "checkpoint", "cancel"])
def test_asking_twice_is_asking_once(bench: JobBench, control: str) -> None:
    job_id = _paused(bench)[0] if control == "resume" else bench.running().job_id
    request = getattr(control_repository, control if control == "cancel" else f"request_{control}")
    bench.do(request, job_id)
    once = (bench.get(job_id), len(bench.events(job_id)))
    bench.do(request, job_id)
    job, events = bench.get(job_id), len(bench.events(job_id))
    assert (job.status, job.desired, events) == (once[0].status, once[0].desired, once[1])


def test_a_pause_that_is_withdrawn_lets_the_job_go_on(bench: JobBench) -> None:
    claim = bench.running()
    bench.do(control_repository.request_pause, claim.job_id)
    bench.do(control_repository.request_resume, claim.job_id)
    assert bench.do(attempts.heartbeat, claim.job_id, 1, 60).desired is Desired.RUN
    assert bench.do(attempts.paused, claim.job_id, 1) is Status.PENDING  # the worker had already saved
    again = bench.claim()
    assert again is not None and again.generation == 2


def test_a_stop_that_overtakes_a_pause_is_not_lost(bench: JobBench) -> None:
    claim = bench.running()
    bench.do(control_repository.request_pause, claim.job_id)
    bench.do(control_repository.request_stop, claim.job_id)
    bench.do(attempts.paused, claim.job_id, 1)
    job = bench.get(claim.job_id)
    assert (job.status, job.desired) == (Status.PENDING, Desired.STOP)


def test_going_back_to_a_checkpoint_gives_up_the_later_ones(bench: JobBench) -> None:
    job_id, (first, second, third) = _paused(bench, 10, 20, 30)
    bench.do(control_repository.request_resume, job_id, second)
    assert [one.step for one in bench.do(attempts.restorable, job_id)] == [20, 10]
    dropped = [event.data for event in bench.events(job_id) if event.type == "checkpoint_dropped"]
    assert [(data["id"], data["step"]) for data in dropped] == [(third, 30)]
    assert bench.do(checkpoint_repository.list_checkpoints, job_id)[-1].id == first


def test_a_chosen_checkpoint_must_be_the_jobs_own(bench: JobBench) -> None:
    job_id, _ = _paused(bench, 10)
    _, (foreign,) = _paused(bench, 10)
    with pytest.raises(Invalid) as refused:
        bench.do(control_repository.request_resume, job_id, foreign)
    assert refused.value.errors[0].field == "checkpoint"
    assert bench.get(job_id).status is Status.PAUSED
    running = bench.running()
    with pytest.raises(Conflict):
        bench.do(control_repository.request_resume, running.job_id, foreign)


def test_pinning_is_a_users_to_do_and_undo(bench: JobBench) -> None:
    claim = bench.running()
    asked, other = _save(bench, claim.job_id, 1, 5, "requested"), _save(bench, claim.job_id, 1, 6)
    bench.do(checkpoint_repository.pin, claim.job_id, other, True)
    bench.do(checkpoint_repository.pin, claim.job_id, asked, False)
    assert {one.step: one.pinned for one in bench.do(attempts.restorable, claim.job_id)} == {5: False, 6: True}
    with pytest.raises(NotFound):
        bench.do(checkpoint_repository.pin, "job_other", other, True)


def test_what_is_handed_over_is_pinned(bench: JobBench) -> None:
    job_id, _ = _paused(bench, 10, 20)
    start = bench.do(checkpoint_repository.hand_over, job_id, None)
    assert start is not None and start.step == 20
    stored = bench.do(attempts.starting_checkpoint, start)
    assert stored is not None and stored.pinned and stored.job_id == job_id


def test_the_priority_of_a_waiting_job_moves_it(bench: JobBench) -> None:
    first, second = bench.submit(), bench.submit()
    bench.do(control_repository.change_priority, second, 5)
    claim = bench.claim()
    assert claim is not None and claim.job_id == second
    bench.do(control_repository.cancel, first)
    with pytest.raises(Conflict):
        bench.do(control_repository.change_priority, first, 1)


def _finished(bench: JobBench, redone: dict[int, float]) -> dict[str, object]:
    """A job whose first attempt got to step 4 and died with a checkpoint of step 2; its resume record."""
    claim = bench.running(lease_seconds=60)
    _steps(bench, claim.job_id, 1, {1: 1.0, 2: 0.5, 3: 0.25, 4: 0.125}, after=0)
    _save(bench, claim.job_id, 1, 2)
    bench.do(attempts.requeue, claim.job_id, 1, "drained")
    again = bench.claim()
    assert again is not None
    _steps(bench, again.job_id, 2, redone, after=2)
    bench.do(attempts.finish, again.job_id, 2, {"model": "made", "metrics": {"sampler_sha256": "0a"}})
    result = bench.get(again.job_id).result
    assert result is not None
    record: dict[str, object] = result["resume"]
    return record


def test_the_resume_record_proves_that_nothing_changed(bench: JobBench) -> None:
    record = _finished(bench, {3: 0.25, 4: 0.125, 5: 0.0625})
    assert record == {
        "attempts": 2, "endings": {"drained": 1}, "stepsLost": 2, "redoneIdentical": True, "largestLossDifference": 0.0,
        "firstStep": 1, "lastStep": 5, "lossesContinuous": True, "samplerSha256": "0a",
    }  # fmt: skip


def test_the_resume_record_tells_when_something_did(bench: JobBench) -> None:
    record = _finished(bench, {3: 0.25, 4: 0.25, 6: 0.1})
    assert (record["redoneIdentical"], record["largestLossDifference"]) == (False, 0.125)
    assert record["lossesContinuous"] is False


def test_attempts_show_where_they_began_and_what_was_lost(bench: JobBench) -> None:
    claim = bench.running()
    _steps(bench, claim.job_id, 1, {1: 1.0, 2: 0.5}, after=0)
    bench.do(attempts.requeue, claim.job_id, 1, "drained")
    again = bench.claim()
    assert again is not None
    _steps(bench, again.job_id, 2, {2: 0.5}, after=1)
    shown = bench.do(query_repository.list_attempts, claim.job_id)
    assert [(one.attempt, one.resumed_step, one.steps_lost) for one in shown] == [(2, 1, 0), (1, 0, 1)]


def test_a_job_that_nobody_can_read_ends_and_the_queue_goes_on(bench: JobBench) -> None:
    broken, sound = bench.submit("broken", priority=1), bench.submit("sound")
    with UnitOfWork(bench.engine) as tx:
        tx.connection.execute(text("UPDATE jobs SET config = '{\"params\": 1}' WHERE id = :id"), {"id": broken})
    assert bench.claim() is None
    claim = bench.claim()
    assert claim is not None and claim.job_id == sound
    job = bench.get(broken)
    assert job.status is Status.ERROR and job.error is not None and job.error.code == "unreadable_config"
    assert job.config.submitted == {"params": 1}
