"""What a running attempt writes. Each function first locks the job as its own, or raises StaleAttempt."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from kargah.contracts.jobs import JobError, StartRef
from kargah.domain.errors import StaleAttempt
from kargah.domain.ids import new_id
from kargah.domain.job_state import Cause, Desired, Event, Status, transition
from kargah.domain.kinds import facts_of
from kargah.jobstore.clean import clean_json, clean_text
from kargah.jobstore.history_repository import change_job, end_attempt, leave_active, status_event
from kargah.jobstore.metric_repository import upsert
from kargah.jobstore.progress import finite, progress_change, progress_event, steps_to
from kargah.jobstore.resume_repository import begin_at, with_record
from kargah.jobstore.retry_repository import give_up, put_back
from kargah.jobstore.tables import IS_ACTIVE, checkpoints, jobs
from kargah.jobstore.values import (
    PINNING_REASON,
    Batch,
    EventEntry,
    NewCheckpoint,
    Orders,
    RetryPolicy,
    StoredCheckpoint,
)

# Built once: every report of every attempt begins with it.
_LOCKED = (
    select(jobs)
    .where(jobs.c.id == bindparam("id_"), jobs.c.generation == bindparam("generation_"), IS_ACTIVE)
    .with_for_update()
)


def heartbeat(conn: Connection, job_id: str, generation: int, lease_seconds: float) -> Orders:
    """Renew the lease and hear what the user wants. Raises StaleAttempt: end the trainer."""
    row = conn.execute(
        update(jobs)
        .where(jobs.c.id == job_id, jobs.c.generation == generation, IS_ACTIVE)
        .values(lease_until=func.now() + timedelta(seconds=lease_seconds))
        .returning(jobs.c.desired, jobs.c.checkpoint_request, jobs.c.checkpoint_served)
    ).one_or_none()
    if row is None:
        raise _stale(conn, job_id, generation)
    waiting = row.checkpoint_request > row.checkpoint_served
    return Orders(Desired(row.desired), row.checkpoint_request if waiting else None)


def record(conn: Connection, job_id: str, generation: int, batch: Batch) -> None:
    """Store everything in `batch`: status, progress, metrics, log lines, events."""
    job = _own(conn, job_id, generation)
    if batch.resumed_at_step is not None:
        begin_at(conn, job_id, generation, batch.resumed_at_step)
    upsert(conn, job_id, generation, finite(batch.metrics))
    passed = steps_to(Status(job.status), batch.status)
    entries = [status_event(status) for status in passed] + list(batch.events)
    changes: dict[str, Any] = {"status": passed[-1]} if passed else {}
    progress = progress_change(batch)
    if progress or batch.metrics:
        entries.append(EventEntry("progress", progress_event(progress, batch.metrics)))
        changes["progress"] = {**job.progress, **progress}
    change_job(conn, job_id, changes, events_=entries, logs_=batch.logs)


def commit_checkpoint(
    conn: Connection, job_id: str, generation: int, new: NewCheckpoint, *, serves: int | None = None
) -> str:
    """Make a stored and verified checkpoint visible; its id. The same step again replaces the row.

    `serves` is the `Orders.checkpoint_request` that this answers.
    """
    job = _own(conn, job_id, generation)
    values = {
        "epoch": new.epoch,
        "size_bytes": new.size_bytes,
        "reason": new.reason,
        "prefix": new.prefix,
        "metrics": clean_json(dict(new.metrics)),
        **({"pinned": True} if new.reason == PINNING_REASON else {}),
    }
    statement = insert(checkpoints).values(
        id=new_id("ckpt"), job_id=job_id, step=new.step, generation=generation, **values
    )
    place = [checkpoints.c.job_id, checkpoints.c.step, checkpoints.c.generation]
    checkpoint_id: str = conn.execute(
        statement.on_conflict_do_update(index_elements=place, set_=values).returning(checkpoints.c.id)
    ).scalar_one()
    changes: dict[str, Any] = {"saved_step": max(job.saved_step, new.step)}
    if serves is not None:
        changes["checkpoint_served"] = max(job.checkpoint_served, serves)
    change_job(conn, job_id, changes, events_=[_checkpoint_event(checkpoint_id, new)])
    return checkpoint_id


def restorable(conn: Connection, job_id: str) -> list[StoredCheckpoint]:
    """The job's checkpoints, the furthest and then newest first: restore tries them in this order."""
    rows = conn.execute(
        select(checkpoints)
        .where(checkpoints.c.job_id == job_id)
        .order_by(checkpoints.c.step.desc(), checkpoints.c.generation.desc())
    )
    return [_stored(row) for row in rows]


def starting_checkpoint(conn: Connection, start: StartRef) -> StoredCheckpoint | None:
    """The checkpoint of another job that this one begins with; None when it is gone."""
    row = conn.execute(
        select(checkpoints).where(checkpoints.c.id == start.checkpoint_id, checkpoints.c.job_id == start.job_id)
    ).one_or_none()
    return None if row is None else _stored(row)


def drop_checkpoint(
    conn: Connection, job_id: str, generation: int, checkpoint_id: str, reason: str, cause: Cause | None = None
) -> None:
    """Forget a checkpoint before its objects are deleted (too old), or because it proved damaged."""
    _own(conn, job_id, generation)
    row = conn.execute(
        delete(checkpoints)
        .where(checkpoints.c.id == checkpoint_id, checkpoints.c.job_id == job_id)
        .returning(checkpoints.c.step)
    ).one_or_none()
    if row is not None:
        data = {"id": checkpoint_id, "step": row.step, "reason": reason, **({"cause": cause} if cause else {})}
        change_job(conn, job_id, {}, events_=[EventEntry("checkpoint_dropped", data)])


def finish(
    conn: Connection,
    job_id: str,
    generation: int,
    result: Mapping[str, Any],
    *,
    outcome: Literal["finished", "stopped"] = "finished",
) -> None:
    """The result is registered: completed. `result` is what JobView shows (the model version, metrics)."""
    job = _own(conn, job_id, generation)
    status = transition(Event.FINISH).target
    shown = clean_json(with_record(conn, job_id, result) if facts_of(job.kind).trains else dict(result))
    changes = {
        **leave_active(),
        "status": status,
        "desired": Desired.RUN,
        "finished_at": func.now(),
        "result": shown,
        "error": None,
        "progress": _final_progress(job, outcome),
    }
    change_job(conn, job_id, changes, events_=[status_event(status, outcome=outcome, result=shown)])
    end_attempt(conn, job_id, generation, outcome)


def paused(conn: Connection, job_id: str, generation: int) -> Status:
    """The checkpoint is committed and the device free: paused, until someone resumes it. Where it went: back into the
    queue when the user thought better of it meanwhile."""
    job = _own(conn, job_id, generation)
    if job.desired != Desired.PAUSE:
        told, cause = "the pause was withdrawn", Cause.PAUSE_WITHDRAWN
        return put_back(conn, job, outcome="paused", counts=False, reason=told, cause=cause)
    status = transition(Event.PAUSED).target
    changes = {**leave_active(), "status": status, "desired": Desired.RUN, "worker": None}
    change_job(conn, job_id, changes, events_=[status_event(status)])
    end_attempt(conn, job_id, generation, "paused")
    return status


def requeue(
    conn: Connection,
    job_id: str,
    generation: int,
    reason: str,
    *,
    cause: Cause | None = None,
    counts: bool = False,
    policy: RetryPolicy | None = None,
) -> Status:
    """Give the job back: drained or preempted (`counts` False), or a fault of the attempt. Where it went."""
    job = _own(conn, job_id, generation)
    outcome = "crashed" if counts else "drained"
    return put_back(conn, job, outcome=outcome, counts=counts, reason=clean_text(reason), cause=cause, policy=policy)


def fail(conn: Connection, job_id: str, generation: int, error: JobError, policy: RetryPolicy | None = None) -> Status:
    """The attempt failed: `error` if permanent or tries are spent, else queued again. Where it went."""
    job = _own(conn, job_id, generation)
    error = JobError.model_validate(clean_json(error.model_dump()))
    if error.permanent:
        return give_up(conn, job, outcome="failed", error=error)
    return put_back(conn, job, outcome="failed", error=error, policy=policy)


def _own(conn: Connection, job_id: str, generation: int) -> Row[Any]:
    """Lock the job's row as this attempt's. Until commit nobody can take, cancel or change it."""
    row = conn.execute(_LOCKED, {"id_": job_id, "generation_": generation}).one_or_none()
    if row is None:
        raise _stale(conn, job_id, generation)
    return row


def _stored(row: Row[Any]) -> StoredCheckpoint:
    return StoredCheckpoint(**{name: getattr(row, name) for name in StoredCheckpoint.__dataclass_fields__})


def _stale(conn: Connection, job_id: str, generation: int) -> StaleAttempt:
    row = conn.execute(select(jobs.c.status, jobs.c.generation).where(jobs.c.id == job_id)).one_or_none()
    now = "gone" if row is None else f"{row.status}, at attempt {row.generation}"
    return StaleAttempt(
        f"Attempt {generation} of {job_id} no longer owns the job, which is {now}.",
        hint="End the trainer and write nothing more.",
        extra={} if row is None else {"status": row.status, "generation": row.generation},
    )


def _checkpoint_event(checkpoint_id: str, new: NewCheckpoint) -> EventEntry:
    data = {
        "id": checkpoint_id,
        "step": new.step,
        "epoch": new.epoch,
        "reason": new.reason,
        "sizeBytes": new.size_bytes,
        "metrics": dict(new.metrics),
    }
    return EventEntry("checkpoint", data)


def _final_progress(job: Row[Any], outcome: str) -> dict[str, Any]:
    whole = {"percent": 100.0} if outcome == "finished" else {}
    return {**job.progress, **whole, "eta_seconds": None, "phase": None, "evaluated": None, "to_evaluate": None}
