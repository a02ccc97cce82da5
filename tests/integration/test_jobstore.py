"""The job store on real Postgres: nobody works on a job twice, and nothing that a past attempt writes gets in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from kargah.contracts.jobs import JobError
from kargah.db.engine import Connection
from kargah.domain.errors import Conflict, NotFound, StaleAttempt
from kargah.domain.job_state import Desired, Status
from kargah.jobstore import attempt_repository as attempts
from kargah.jobstore import claim_repository, control_repository, query_repository
from kargah.jobstore.tables import jobs
from kargah.jobstore.values import Batch, LogEntry, MetricValue, NewCheckpoint, RetryPolicy
from kargah.testing.jobs import JobBench, job_bench

_AT_ONCE = RetryPolicy(max_crashes=3, backoff_seconds=0.0)
_OVER = -1.0  # a lease that is over as soon as it begins
_BROKEN = JobError(code="out_of_memory", message="No memory left.", permanent=False)


@pytest.fixture
def bench(database_url_for: Callable[[str], str]) -> Iterator[JobBench]:
    with job_bench(database_url_for("gateway")) as bench:
        yield bench


def _checkpoint(step: int, reason: str = "interval") -> NewCheckpoint:
    return NewCheckpoint(step, step / 10, 1000, reason, f"jobs/x/checkpoints/{step}", {"loss": 1.0})


def test_racing_workers_never_get_one_job_twice(bench: JobBench) -> None:
    submitted = {bench.submit(f"job {number}") for number in range(30)}
    start = threading.Barrier(8)

    def work(worker: int) -> list[str]:
        start.wait()
        taken = []
        while (claim := bench.claim(f"worker {worker}")) is not None:
            taken.append(claim.job_id)
        return taken

    with ThreadPoolExecutor(8) as pool:
        taken = [job for jobs in pool.map(work, range(8)) for job in jobs]
    assert sorted(taken) == sorted(submitted)


def test_priority_then_waiting_time_decide(bench: JobBench) -> None:
    first, second = bench.submit("first"), bench.submit("second")
    urgent = bench.submit("urgent", priority=5)
    bench.submit("other kind", kind="install", priority=90)
    order = [claim.job_id for claim in iter(bench.claim, None) if claim is not None]
    assert order == [urgent, first, second]


def test_a_claim_opens_an_attempt_with_a_lease(bench: JobBench) -> None:
    claim = bench.running()
    job = bench.get(claim.job_id)
    assert (job.status, job.attempt, job.worker) == (Status.PREPARING, 1, "worker")
    assert [attempt.outcome for attempt in bench.do(query_repository.list_attempts, job.id)] == [None]
    assert [event.data["status"] for event in bench.events(job.id)] == ["pending", "preparing"]


_LATE_WRITES: dict[str, Callable[[Connection, str, int], object]] = {
    "heartbeat": lambda conn, job, gen: attempts.heartbeat(conn, job, gen, 60),
    "record": lambda conn, job, gen: attempts.record(conn, job, gen, Batch(logs=[LogEntry("info", "late")])),
    "commit_checkpoint": lambda conn, job, gen: attempts.commit_checkpoint(conn, job, gen, _checkpoint(5)),
    "drop_checkpoint": lambda conn, job, gen: attempts.drop_checkpoint(conn, job, gen, "ckpt_x", "old"),
    "finish": lambda conn, job, gen: attempts.finish(conn, job, gen, {"model": "late"}),
    "paused": lambda conn, job, gen: attempts.paused(conn, job, gen),
    "requeue": lambda conn, job, gen: attempts.requeue(conn, job, gen, "late"),
    "fail": lambda conn, job, gen: attempts.fail(conn, job, gen, _BROKEN),
}


@pytest.mark.parametrize("write", _LATE_WRITES)
def test_a_past_attempt_writes_nothing(bench: JobBench, write: str) -> None:
    old = bench.running(lease_seconds=_OVER)
    bench.do(claim_repository.expire_leases, _AT_ONCE)
    new = bench.claim("second worker")
    assert new is not None and new.job_id == old.job_id and new.generation == 2
    before = bench.get(old.job_id), bench.events(old.job_id)
    with pytest.raises(StaleAttempt):
        bench.do(_LATE_WRITES[write], old.job_id, old.generation)
    after = bench.get(old.job_id), bench.events(old.job_id)
    assert after[0].model_copy(update={"duration_seconds": None}) == before[0].model_copy(
        update={"duration_seconds": None}
    )
    assert after[1] == before[1]
    bench.do(attempts.heartbeat, new.job_id, new.generation, 60)


def test_without_the_fence_a_past_attempt_would_get_in(bench: JobBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: what the tests above see is the fence, not luck."""

    def unfenced(conn: Connection, job_id: str, generation: int) -> object:
        return conn.execute(select(jobs).where(jobs.c.id == job_id)).one()

    old = bench.running(lease_seconds=_OVER)
    bench.do(claim_repository.expire_leases, _AT_ONCE)
    assert bench.claim("second worker") is not None
    monkeypatch.setattr(attempts, "_own", unfenced)
    bench.do(attempts.finish, old.job_id, old.generation, {"model": "late"})
    assert bench.get(old.job_id).status is Status.COMPLETED


@pytest.mark.parametrize("write", _LATE_WRITES)
def test_a_cancelled_job_takes_no_writes(bench: JobBench, write: str) -> None:
    claim = bench.running()
    bench.do(control_repository.cancel, claim.job_id)
    with pytest.raises(StaleAttempt, match="cancelled"):
        bench.do(_LATE_WRITES[write], claim.job_id, claim.generation)
    assert bench.get(claim.job_id).status is Status.CANCELLED


def test_a_lost_worker_costs_the_attempt_and_not_the_job(bench: JobBench) -> None:
    claim = bench.running(lease_seconds=_OVER)
    kept = bench.submit("healthy")
    assert bench.claim("healthy worker") is not None
    (expired,) = bench.do(claim_repository.expire_leases, _AT_ONCE)
    assert (expired.job_id, expired.worker, expired.status) == (claim.job_id, "worker", Status.PENDING)
    (lost,) = bench.do(query_repository.list_attempts, claim.job_id)
    assert lost.outcome == "lost" and lost.error is not None and lost.error.code == "worker_lost"
    assert bench.get(kept).status is Status.PREPARING
    assert bench.do(claim_repository.expire_leases) == []


def test_a_heartbeat_keeps_the_lease(bench: JobBench) -> None:
    claim = bench.running(lease_seconds=_OVER)
    bench.do(attempts.heartbeat, claim.job_id, claim.generation, 60)
    assert bench.do(claim_repository.expire_leases) == []


def test_a_poisonous_job_ends_in_error_and_the_queue_goes_on(bench: JobBench) -> None:
    poison, next_job = bench.submit("poison", priority=1), bench.submit("next")
    for _ in range(3):
        claim = bench.claim(lease_seconds=_OVER)
        assert claim is not None and claim.job_id == poison
        bench.do(claim_repository.expire_leases, _AT_ONCE)
    job = bench.get(poison)
    assert job.status is Status.ERROR and job.controls == ["restart"]
    assert job.error is not None and job.error.code == "worker_lost" and "3 attempts" in job.error.message
    following = bench.claim()
    assert following is not None and following.job_id == next_job


def test_a_crash_after_a_newer_checkpoint_does_not_count(bench: JobBench) -> None:
    job_id = bench.submit()
    for step in (10, 20, 30, 40, 50):
        claim = bench.claim()
        assert claim is not None and claim.crashes == 0
        bench.do(attempts.commit_checkpoint, job_id, claim.generation, _checkpoint(step))
        assert bench.do(attempts.fail, job_id, claim.generation, _BROKEN, _AT_ONCE) is Status.PENDING
    for left in (Status.PENDING, Status.PENDING, Status.ERROR):
        claim = bench.claim()
        assert claim is not None
        # A second checkpoint of the same step is no gain.
        bench.do(attempts.commit_checkpoint, job_id, claim.generation, _checkpoint(50))
        assert bench.do(attempts.fail, job_id, claim.generation, _BROKEN, _AT_ONCE) is left
    error = bench.get(job_id).error
    assert error is not None and error.code == "out_of_memory" and error.permanent


def test_a_drained_attempt_never_counts(bench: JobBench) -> None:
    job_id = bench.submit()
    for _ in range(5):
        claim = bench.claim()
        assert claim is not None
        assert bench.do(attempts.requeue, job_id, claim.generation, "drained") is Status.PENDING
    assert bench.do(query_repository.list_attempts, job_id)[0].outcome == "drained"


def test_a_retry_waits_before_it_is_given_out(bench: JobBench) -> None:
    claim = bench.running()
    bench.do(attempts.fail, claim.job_id, claim.generation, _BROKEN, RetryPolicy(backoff_seconds=3600))
    assert bench.get(claim.job_id).status is Status.PENDING
    assert bench.claim() is None
    assert bench.do(claim_repository.pending_to_ring, overdue_seconds=0) == []


def test_a_permanent_error_ends_the_job_at_once(bench: JobBench) -> None:
    claim = bench.running()
    error = JobError(code="nan_loss", message="The loss is NaN\0.", permanent=True)
    assert bench.do(attempts.fail, claim.job_id, claim.generation, error) is Status.ERROR
    job = bench.get(claim.job_id)
    assert job.error is not None and job.error.message == "The loss is NaN\ufffd."
    assert job.finished_at is not None


def test_cancel_and_finish_race_to_one_end(bench: JobBench) -> None:
    outcomes = set()
    for _ in range(12):
        claim = bench.running()
        start = threading.Barrier(2)

        def finish(job_id: str = claim.job_id, start: threading.Barrier = start) -> bool:
            start.wait()
            try:
                bench.do(attempts.finish, job_id, 1, {"model": "made"})
            except StaleAttempt:
                return False
            return True

        def cancel(job_id: str = claim.job_id, start: threading.Barrier = start) -> bool:
            start.wait()
            try:
                bench.do(control_repository.cancel, job_id)
            except Conflict:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            finished, cancelled = pool.submit(finish), pool.submit(cancel)
            assert finished.result() != cancelled.result()
        job = bench.get(claim.job_id)
        assert job.status is (Status.COMPLETED if finished.result() else Status.CANCELLED)
        assert (job.result is not None) == finished.result()
        ends = [event for event in bench.events(job.id) if event.data.get("status") in ("completed", "cancelled")]
        assert len(ends) == 1
        outcomes.add(job.status)
    assert outcomes <= {Status.COMPLETED, Status.CANCELLED}


def test_wishes_reach_the_worker_with_its_heartbeat(bench: JobBench) -> None:
    claim = bench.running()
    bench.do(control_repository.request_checkpoint, claim.job_id)
    bench.do(control_repository.request_pause, claim.job_id)
    orders = bench.do(attempts.heartbeat, claim.job_id, 1, 60)
    assert (orders.desired, orders.checkpoint_request) == (Desired.PAUSE, 1)
    bench.do(attempts.commit_checkpoint, claim.job_id, 1, _checkpoint(5, "requested"), serves=1)
    assert bench.do(attempts.heartbeat, claim.job_id, 1, 60).checkpoint_request is None
    bench.do(attempts.paused, claim.job_id, 1)
    job = bench.get(claim.job_id)
    assert (job.status, job.desired, job.controls) == (Status.PAUSED, Desired.RUN, ["resume", "cancel", "restart"])


def test_a_job_that_crashes_while_it_is_to_pause_stays_paused(bench: JobBench) -> None:
    claim = bench.running(lease_seconds=_OVER)
    bench.do(control_repository.request_pause, claim.job_id)
    (expired,) = bench.do(claim_repository.expire_leases)
    assert expired.status is Status.PAUSED
    bench.do(control_repository.request_resume, claim.job_id)
    again = bench.claim()
    assert again is not None and again.generation == 2


def test_a_stop_survives_a_crash(bench: JobBench) -> None:
    claim = bench.running(lease_seconds=_OVER)
    bench.do(control_repository.request_stop, claim.job_id)
    bench.do(claim_repository.expire_leases, _AT_ONCE)
    again = bench.claim()
    assert again is not None
    assert bench.do(attempts.heartbeat, again.job_id, again.generation, 60).desired is Desired.STOP


def test_controls_that_are_not_legal_name_those_that_are(bench: JobBench) -> None:
    job_id = bench.submit()
    with pytest.raises(Conflict) as refused:
        bench.do(control_repository.request_stop, job_id)
    assert "pause, cancel" in (refused.value.hint or "").lower()
    with pytest.raises(NotFound):
        bench.do(control_repository.cancel, "job_00000000000000000000000000")


def test_only_time_under_a_lease_is_running_time(bench: JobBench) -> None:
    claim = bench.running(lease_seconds=_OVER)
    bench.do(attempts.record, claim.job_id, 1, Batch(metrics=[MetricValue(1, "loss", 1.0)]))
    bench.do(claim_repository.expire_leases)
    assert bench.get(claim.job_id).duration_seconds == 0
