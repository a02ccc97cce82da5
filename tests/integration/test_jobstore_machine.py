"""Anything that can happen to a job, in any order: SQL and the state table agree after every step."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from kargah.contracts.jobs import JobError
from kargah.db.engine import Connection
from kargah.domain.errors import Conflict, StaleAttempt
from kargah.domain.job_state import ACTIVE, CONTROLS, TERMINAL, Desired, Event, Status, controls, next_status
from kargah.domain.queue_policy import rank
from kargah.jobstore import attempt_repository as attempts
from kargah.jobstore import claim_repository, control_repository, query_repository, queue_repository
from kargah.jobstore.queue_view_repository import waiting_jobs
from kargah.jobstore.tables import jobs
from kargah.jobstore.values import Batch, NewCheckpoint, RetryPolicy
from kargah.testing.jobs import JobBench, job_bench

pytestmark = pytest.mark.campaign

_POLICY = RetryPolicy(max_crashes=3, backoff_seconds=0.0)
_FLAKY = JobError(code="flaky", message="It failed.", permanent=False)
_FATAL = JobError(code="fatal", message="It cannot work.", permanent=True)
_GENERATIONS = st.integers(min_value=-2, max_value=0)


class JobMachine(RuleBasedStateMachine):
    """A model of one job in plain Python beside the real one. `generation + offset` is who tries to write."""

    bench: JobBench

    def __init__(self) -> None:
        super().__init__()
        self.job_id = self.bench.submit()
        self.status = Status.PENDING
        self.desired = Desired.RUN
        self.generation = 0
        self.crashes = 0
        self.saved = 0
        self.saved_at_crash = 0
        self.priority = 0
        self.quota: int | None = None

    @rule(quota=st.sampled_from([None, 0, 1]))
    def limit(self, quota: int | None) -> None:
        self.bench.do(queue_repository.set_quota, "local", quota)
        self.quota = quota

    @rule(priority=st.integers(min_value=-100, max_value=100))
    def prioritise(self, priority: int) -> None:
        try:
            self.bench.do(control_repository.change_priority, self.job_id, priority)
        except Conflict:
            assert self.status in TERMINAL
            return
        assert self.status not in TERMINAL
        self.priority = priority

    @precondition(lambda self: self.status not in TERMINAL)
    @rule(expired=st.booleans())
    def claim(self, expired: bool) -> None:
        claim = self.bench.claim(lease_seconds=-1 if expired else 60)
        after = next_status(self.status, Event.CLAIM) if self.quota != 0 else None
        assert (claim is not None) == (after is not None)
        if claim is not None and after is not None:
            self.generation += 1
            self.status = after
            assert (claim.job_id, claim.generation, claim.crashes) == (self.job_id, self.generation, self.crashes)
            if expired:
                self._expire()

    @rule(offset=_GENERATIONS, reached=st.sampled_from(sorted(ACTIVE)))
    def report(self, offset: int, reached: Status) -> None:
        def record() -> None:
            self.bench.do(attempts.record, self.job_id, self.generation + offset, Batch(status=reached))

        if self._write(offset, record):
            events = (Event.INPUTS_READY, Event.EVALUATION_STARTED, Event.EVALUATION_ENDED)
            reachable = {next_status(self.status, event) for event in events}
            further = {next_status(one, Event.EVALUATION_STARTED) for one in reachable if one is not None}
            if reached in reachable | further:
                self.status = reached

    @rule(offset=_GENERATIONS, gain=st.booleans())
    def save(self, offset: int, gain: bool) -> None:
        step = self.saved + 1 if gain else max(self.saved, 1)
        new = NewCheckpoint(step, 0.0, 1, "interval", f"k/{step}")
        if self._write(
            offset,
            lambda: self.bench.do(attempts.commit_checkpoint, self.job_id, self.generation + offset, new),
        ):
            self.saved = max(self.saved, step)

    @rule(offset=_GENERATIONS, outcome=st.sampled_from(["finished", "stopped"]))
    def finish(self, offset: int, outcome: str) -> None:
        def finish() -> None:
            generation = self.generation + offset
            self.bench.do(attempts.finish, self.job_id, generation, {"model": "made"}, outcome=outcome)  # type: ignore[arg-type]

        if self._write(offset, finish):
            self._move(Event.FINISH)

    @rule(offset=_GENERATIONS)
    def pause_at_worker(self, offset: int) -> None:
        """A worker that has saved, while the user may have withdrawn the pause: then the job only waits again."""
        if self._write(offset, lambda: self.bench.do(attempts.paused, self.job_id, self.generation + offset)):
            self._back_to_queue()

    @rule(offset=_GENERATIONS)
    def drain(self, offset: int) -> None:
        if self._write(
            offset, lambda: self.bench.do(attempts.requeue, self.job_id, self.generation + offset, "drained")
        ):
            self._back_to_queue()

    @rule(offset=_GENERATIONS, error=st.sampled_from([_FLAKY, _FATAL]))
    def fail(self, offset: int, error: JobError) -> None:
        if self._write(
            offset, lambda: self.bench.do(attempts.fail, self.job_id, self.generation + offset, error, _POLICY)
        ):
            if error.permanent:
                self._move(Event.FAIL)
            else:
                self._crash()

    @rule(control=st.sampled_from(["pause", "resume", "stop", "checkpoint", "cancel"]))
    def control(self, control: str) -> None:
        request = getattr(control_repository, control if control == "cancel" else f"request_{control}")
        legal = control in controls(self.status, "train")
        accepted = legal or self.status in CONTROLS[control].served
        try:
            self.bench.do(request, self.job_id)
        except Conflict:
            assert not accepted, f"{control} was refused in {self.status}"
            return
        assert accepted, f"{control} was accepted in {self.status}"
        if legal:
            self._controlled(control)
        elif control == "resume" and self.desired is Desired.PAUSE:
            self.desired = Desired.RUN

    @invariant()
    def agrees(self) -> None:
        job = self.bench.get(self.job_id)
        assert (job.status, job.desired, job.attempt) == (self.status, self.desired, self.generation)
        assert (job.finished_at is not None) == (self.status in TERMINAL)
        assert (job.result is not None) == (self.status is Status.COMPLETED)
        open_attempts = [
            attempt.attempt
            for attempt in self.bench.do(query_repository.list_attempts, self.job_id)
            if attempt.outcome is None
        ]
        assert open_attempts == ([self.generation] if self.status in ACTIVE else [])
        events = self.bench.do(query_repository.events_after, self.job_id, 0, 10_000)
        assert [event.number for event in events] == list(range(1, len(events) + 1))
        statuses = [event.data["status"] for event in events if event.type == "status"]
        assert statuses[-1] == self.status

    @invariant()
    def the_queue_shows_it_while_it_waits(self) -> None:
        shown = self.bench.do(waiting_jobs, ["train"], limit=10)
        assert [job.job_id for job in shown] == ([self.job_id] if self.status is Status.PENDING else [])
        for job in shown:
            place = self.bench.do(_rank, self.job_id)
            assert (job.priority, job.held, job.max_running) == (self.priority, self.quota == 0, self.quota)
            # A job that was put back keeps the place it had; one that was resumed ranks anew.
            assert place <= rank(job.queued_at.timestamp(), self.priority) + 1e-2

    def teardown(self) -> None:
        """Leave nothing in the queue for the next example's job to compete with."""
        self.bench.do(queue_repository.set_quota, "local", None)
        if self.status not in TERMINAL:
            self.bench.do(control_repository.cancel, self.job_id)

    def _write(self, offset: int, write: Callable[[], object]) -> bool:
        """Do it; whether it got in. Only the live attempt of an active job may."""
        owner = offset == 0 and self.status in ACTIVE
        try:
            write()
        except StaleAttempt:
            assert not owner, "the live attempt was refused"
            return False
        assert owner, "a past attempt got in"
        return True

    def _controlled(self, control: str) -> None:
        if control == "cancel":
            self._move(Event.CANCEL)
        elif control == "resume":
            self._move(Event.RESUME)
        elif control == "stop":
            self.desired = Desired.STOP
        elif control == "pause" and self.status is Status.PENDING:
            self._move(Event.PAUSED)
        elif control == "pause":
            self.desired = Desired.PAUSE

    def _move(self, event: Event) -> None:
        after = next_status(self.status, event)
        assert after is not None
        self.status = after
        self.desired = Desired.RUN

    def _back_to_queue(self) -> None:
        if self.desired is Desired.PAUSE:
            self._move(Event.PAUSED)
        else:
            after = next_status(self.status, Event.REQUEUE)
            assert after is not None
            self.status = after

    def _crash(self) -> None:
        self.crashes = 0 if self.saved > self.saved_at_crash else self.crashes + 1
        if self.crashes >= _POLICY.max_crashes:
            self._move(Event.FAIL)
        else:
            self.saved_at_crash = self.saved
            self._back_to_queue()

    def _expire(self) -> None:
        (expired,) = self.bench.do(claim_repository.expire_leases, _POLICY)
        self._crash()
        assert (expired.job_id, expired.status) == (self.job_id, self.status)


def _rank(conn: Connection, job_id: str) -> float:
    return float(conn.execute(select(jobs.c.rank).where(jobs.c.id == job_id)).scalar_one())


@pytest.fixture
def bench(database_url_for: Callable[[str], str]) -> Iterator[JobBench]:
    with job_bench(database_url_for("gateway")) as bench:
        yield bench


def test_sql_and_the_state_table_agree(bench: JobBench) -> None:
    machine = type("BoundJobMachine", (JobMachine,), {"bench": bench})
    profile = settings(
        max_examples=15, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    run_state_machine_as_test(machine, settings=profile)
