"""Putting a job back into the queue, or giving up on it: the counting of crashes is in this one place."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, func

from kargah.contracts.jobs import JobError
from kargah.domain.job_state import Cause, Desired, Event, Status, transition
from kargah.jobstore.history_repository import change_job, end_attempt, leave_active, status_event
from kargah.jobstore.values import RetryPolicy

_DEFAULT = RetryPolicy()


def put_back(
    conn: Connection,
    job: Row[Any],
    *,
    outcome: str,
    error: JobError | None = None,
    counts: bool = True,
    reason: str | None = None,
    cause: Cause | None = None,
    policy: RetryPolicy | None = None,
) -> Status:
    """End the attempt of the locked, active `job` row and queue the job again; where it went.

    With `counts`, a crash without a newer checkpoint than at the last crash adds to `crashes`, a gain starts the
    count anew, and the last allowed crash ends the job in `error`. A job that the user wanted paused is paused.
    It keeps its rank: it has had its turn in the queue, and goes on before those that came after it.
    """
    policy = policy or _DEFAULT
    crashes = _crashes(job, counts)
    if counts and crashes >= policy.max_crashes:
        return give_up(conn, job, outcome=outcome, error=_spent(error, crashes))
    status = _target(job)
    changes = {
        **leave_active(),
        "status": status,
        "worker": None,
        "crashes": crashes,
        "crash_step": job.saved_step if counts else job.crash_step,
        "queued_at": func.now() + timedelta(seconds=_delay(outcome, crashes, policy) if counts else 0.0),
        "desired": Desired.RUN if status is Status.PAUSED else job.desired,
    }
    dumped = _dump(error)
    event = status_event(status, reason=reason or outcome, cause=cause, error=dumped, crashes=crashes or None)
    change_job(conn, job.id, changes, events_=[event])
    end_attempt(conn, job.id, job.generation, outcome, dumped)
    return status


def _delay(outcome: str, crashes: int, policy: RetryPolicy) -> float:
    """Seconds. The first worker that is lost says nothing against the job, which need not wait for it."""
    doublings = crashes - (2 if outcome == "lost" else 1)
    return float(policy.backoff_seconds * 2**doublings) if doublings >= 0 else 0.0


def give_up(conn: Connection, job: Row[Any], *, outcome: str, error: JobError) -> Status:
    """End the locked, active `job` in `error`; its checkpoints stay."""
    status = transition(Event.FAIL).target
    dumped = _dump(error)
    changes = {
        **leave_active(),
        "status": status,
        "desired": Desired.RUN,
        "finished_at": func.now(),
        "error": dumped,
    }
    change_job(conn, job.id, changes, events_=[status_event(status, error=dumped)])
    end_attempt(conn, job.id, job.generation, outcome, dumped)
    return status


def _target(job: Row[Any]) -> Status:
    """Pending, or paused if that was asked for: requeue and then pause, both legal, in one write."""
    event = Event.PAUSED if job.desired == Desired.PAUSE else Event.REQUEUE
    return transition(event).target


def _crashes(job: Row[Any], counts: bool) -> int:
    if not counts:
        return int(job.crashes)
    return 0 if job.saved_step > job.crash_step else int(job.crashes) + 1


def _spent(error: JobError | None, crashes: int) -> JobError:
    last = error or JobError(code="crashed", message="The attempt ended without a reason.")
    message = f"{last.message} Gave up after {crashes} attempts without progress."
    return last.model_copy(update={"message": message, "permanent": True})


def _dump(error: JobError | None) -> dict[str, Any] | None:
    return None if error is None else error.model_dump(mode="json", by_alias=True)
