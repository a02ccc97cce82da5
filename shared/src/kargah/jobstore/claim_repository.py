"""Who works on what: taking a job, giving up on lost workers, and what still waits for a bell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Row, func, insert, select, update

from kargah.contracts.jobs import JobConfig, JobError
from kargah.domain.job_state import Event, transition
from kargah.domain.queue_policy import MOST_DEVICES, QUOTA_KIND, Head
from kargah.jobstore.heads_repository import Place, next_heads, overdue_heads
from kargah.jobstore.history_repository import change_job, status_event
from kargah.jobstore.queue_repository import lock_room
from kargah.jobstore.retry_repository import give_up, put_back
from kargah.jobstore.tables import IS_ACTIVE, IS_PENDING, attempts, jobs
from kargah.jobstore.values import Claim, Expired, RetryPolicy

_LOST = "worker_lost"


def claim(
    conn: Connection, kinds: Sequence[str], worker: str, lease_seconds: float, devices: int | None = None
) -> Claim | None:
    """Take the job of `kinds` that `kargah.domain.queue_policy` puts first; None when none may start. Jobs that ask for
    more than `devices` are left to others (None: none is).

    Rows that others are taking are skipped, so no job is given twice and nobody waits for another's claim, but for
    owners with a quota: theirs are taken one after the other, so that the count is exact.
    """
    passed: list[Place] = []
    taker = _Taker(worker, lease_seconds, MOST_DEVICES if devices is None else devices)
    while heads := next_heads(conn, kinds, passed, taker.devices):
        for head in heads:
            row = _take_within_quota(conn, head, taker)
            if row is not None:
                return _begin(conn, row, worker)
        passed += [(head.owner, head.kind) for head in heads]
    return None


@dataclass(frozen=True, slots=True)
class _Taker:
    worker: str
    lease_seconds: float
    devices: int


def _take_within_quota(conn: Connection, head: Head, taker: _Taker) -> Row[Any] | None:
    """A job of the head's owner and kind, for the head itself may just have been taken by another; None for none."""
    if head.max_running is None or head.kind != QUOTA_KIND:
        return _take(conn, head, taker)
    with conn.begin_nested() as savepoint:
        row = _take(conn, head, taker) if lock_room(conn, head.owner) else None
        if row is None:
            savepoint.rollback()  # gives the owner's lock back: nobody waits for one owner while holding another
        return row


def _take(conn: Connection, head: Head, taker: _Taker) -> Row[Any] | None:
    """One statement picks and takes."""
    candidate = (
        select(jobs.c.id)
        .where(IS_PENDING, jobs.c.owner == head.owner, jobs.c.kind == head.kind, jobs.c.queued_at <= func.now())
        .where(jobs.c.devices <= taker.devices)
        .order_by(jobs.c.rank, jobs.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return conn.execute(
        update(jobs)
        .where(jobs.c.id == candidate.scalar_subquery())
        .values(
            status=transition(Event.CLAIM).target,
            generation=jobs.c.generation + 1,
            worker=taker.worker,
            lease_until=func.now() + timedelta(seconds=taker.lease_seconds),
            active_since=func.now(),
            started_at=func.coalesce(jobs.c.started_at, func.now()),
        )
        .returning(
            jobs.c.id,
            jobs.c.kind,
            jobs.c.name,
            jobs.c.generation,
            jobs.c.config,
            jobs.c.crashes,
            jobs.c.owner,
            jobs.c.origin,
        )
    ).one_or_none()


def _begin(conn: Connection, row: Row[Any], worker: str) -> Claim | None:
    """Open the attempt; None for a job that no worker can read, which ends here: the queue behind it must go on."""
    conn.execute(insert(attempts).values(job_id=row.id, generation=row.generation, worker=worker))
    told = status_event(transition(Event.CLAIM).target, attempt=row.generation, worker=worker)
    change_job(conn, row.id, {}, events_=[told])
    try:
        config = JobConfig.model_validate(row.config)
    except ValidationError as error:
        job = conn.execute(select(jobs).where(jobs.c.id == row.id)).one()
        give_up(conn, job, outcome="failed", error=_unreadable(error))
        return None
    return Claim(row.id, row.kind, row.name, row.generation, config, row.crashes, row.owner, row.origin)


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
    """(job id, kind) of jobs that should have been taken by now: the next `per_kind` of each kind.

    Only a few, for a worker that is woken goes on claiming until nothing waits. Jobs whose owner is at the quota
    are not among them.
    """
    return overdue_heads(conn, overdue_seconds, per_kind)


def _unreadable(error: ValidationError) -> JobError:
    fields = ", ".join(".".join(map(str, each["loc"])) for each in error.errors())
    return JobError(
        code="unreadable_config",
        message=f"The job's configuration is not one that this release reads: {fields}.",
        hint="Submit it again; if gateway and workers are of different releases, bring them to one.",
    )


def _lost_error(worker: str) -> JobError:
    return JobError(
        code=_LOST,
        message=f"Worker {worker} stopped answering.",
        hint="It was killed, lost the database, or ran out of memory; its own log tells which.",
        permanent=False,
    )
