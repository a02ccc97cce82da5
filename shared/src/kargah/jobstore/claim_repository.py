"""Who works on what: taking a job, giving up on lost workers, and what still waits for a bell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection, func, insert, select, update

from kargah.contracts.jobs import JobConfig, JobError
from kargah.domain.job_state import Event, transition
from kargah.jobstore.history_repository import change_job, status_event
from kargah.jobstore.retry_repository import put_back
from kargah.jobstore.tables import IS_ACTIVE, IS_PENDING, attempts, jobs
from kargah.jobstore.values import Claim, Expired, RetryPolicy

_LOST = "worker_lost"


def claim(conn: Connection, kinds: Sequence[str], worker: str, lease_seconds: float) -> Claim | None:
    """Take the waiting job of highest priority, then longest wait; None when there is none of `kinds`.

    One statement picks and takes it, and skips rows that others are taking: no job is given twice.
    """
    candidate = (
        select(jobs.c.id)
        .where(IS_PENDING, jobs.c.kind.in_(kinds), jobs.c.queued_at <= func.now())
        .order_by(jobs.c.priority.desc(), jobs.c.queued_at, jobs.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    status = transition(Event.CLAIM).target
    row = conn.execute(
        update(jobs)
        .where(jobs.c.id == candidate.scalar_subquery())
        .values(
            status=status,
            generation=jobs.c.generation + 1,
            worker=worker,
            lease_until=func.now() + timedelta(seconds=lease_seconds),
            active_since=func.now(),
            started_at=func.coalesce(jobs.c.started_at, func.now()),
        )
        .returning(jobs.c.id, jobs.c.kind, jobs.c.name, jobs.c.generation, jobs.c.config, jobs.c.crashes)
    ).one_or_none()
    if row is None:
        return None
    conn.execute(insert(attempts).values(job_id=row.id, generation=row.generation, worker=worker))
    change_job(conn, row.id, {}, events_=[status_event(status, attempt=row.generation, worker=worker)])
    return Claim(row.id, row.kind, row.name, row.generation, JobConfig.model_validate(row.config), row.crashes)


def expire_leases(conn: Connection, policy: RetryPolicy | None = None, *, limit: int = 50) -> list[Expired]:
    """Take jobs from workers that let their lease run out; at most `limit`, which the caller may repeat.

    Safe to run in several processes at once.
    """
    lost = conn.execute(
        select(jobs)
        .where(IS_ACTIVE, jobs.c.lease_until < func.now())
        .order_by(jobs.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    return [
        Expired(
            row.id,
            row.kind,
            row.worker,
            put_back(conn, row, outcome="lost", error=_lost_error(row.worker), policy=policy),
        )
        for row in lost
    ]


def pending_to_ring(conn: Connection, *, overdue_seconds: float = 3.0, per_kind: int = 4) -> list[tuple[str, str]]:
    """(job id, kind) of jobs that should have been taken by now: the first `per_kind` of each kind.

    Only a few, for a worker that is woken goes on claiming until nothing waits.
    """
    place = func.row_number().over(partition_by=jobs.c.kind, order_by=(jobs.c.priority.desc(), jobs.c.queued_at))
    waiting = (
        select(jobs.c.id, jobs.c.kind, place.label("place"))
        .where(IS_PENDING, jobs.c.queued_at < func.now() - timedelta(seconds=overdue_seconds))
        .subquery()
    )
    rows = conn.execute(select(waiting.c.id, waiting.c.kind).where(waiting.c.place <= per_kind))
    return [(row.id, row.kind) for row in rows]


def _lost_error(worker: str) -> JobError:
    return JobError(
        code=_LOST,
        message=f"Worker {worker} stopped answering.",
        hint="It was killed, lost the database, or ran out of memory; its own log tells which.",
        permanent=False,
    )
