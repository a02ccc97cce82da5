"""Figures of the queue, for Prometheus."""

from __future__ import annotations

from sqlalchemy import Connection, func, select, true

from kargah.domain.kinds import Kind
from kargah.jobstore.tables import IS_ACTIVE, IS_PENDING, attempts, checkpoints, jobs
from kargah.jobstore.values import QueueState, RunningTraining


def queue_state(conn: Connection) -> QueueState:
    """Counts by status and kind (an index-only scan), and per kind how many wait and for how long the oldest has."""
    counts = conn.execute(select(jobs.c.status, jobs.c.kind, func.count()).group_by(jobs.c.status, jobs.c.kind)).all()
    oldest = func.extract("epoch", func.now() - func.min(jobs.c.queued_at))
    waiting = conn.execute(select(jobs.c.kind, func.count(), oldest).where(IS_PENDING).group_by(jobs.c.kind)).all()
    return QueueState(
        counts={(status, kind): count for status, kind, count in counts},
        depth={kind: count for kind, count, _ in waiting},
        oldest_wait_seconds={kind: max(0.0, float(seconds)) for kind, _, seconds in waiting},
    )


def running_trainings(conn: Connection) -> list[RunningTraining]:
    """Every training that a worker holds. Seconds count from its last checkpoint, or from when it was claimed if that
    is later: the wait before is no work that could be lost."""
    newest = (
        select(checkpoints.c.created_at, checkpoints.c.size_bytes)
        .where(checkpoints.c.job_id == jobs.c.id)
        .order_by(checkpoints.c.created_at.desc())
        .limit(1)
        .lateral("newest")
    )
    since = func.greatest(newest.c.created_at, jobs.c.active_since)
    unsaved = func.extract("epoch", func.now() - since)
    lost = func.coalesce(func.sum(func.jsonb_array_length(attempts.c.superseded)), 0)
    redone = select(lost).where(attempts.c.job_id == jobs.c.id).scalar_subquery()
    found = select(jobs.c.id, jobs.c.generation, newest.c.size_bytes, unsaved.label("unsaved"), redone.label("redone"))
    rows = conn.execute(
        found.select_from(jobs).outerjoin(newest, true()).where(IS_ACTIVE, jobs.c.kind == Kind.TRAIN.value)
    )
    return [
        RunningTraining(row.id, max(0.0, float(row.unsaved)), row.size_bytes, row.generation, row.redone)
        for row in rows
    ]
