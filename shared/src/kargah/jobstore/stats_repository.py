"""Figures of the queue, for Prometheus."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from kargah.jobstore.tables import IS_PENDING, jobs
from kargah.jobstore.values import QueueState


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
