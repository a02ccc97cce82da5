"""The queue's rules as the database keeps them: what a job gets when it starts to wait, and owners' quotas."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, func, literal, select
from sqlalchemy.dialects.postgresql import insert

from kargah.domain.queue_policy import QUOTA_KIND, has_room
from kargah.jobstore.heads_repository import trainings_of
from kargah.jobstore.tables import owners


def queue_changes(ahead: float | ColumnElement[float]) -> dict[str, Any]:
    """The columns of `jobs` to set whenever a job is queued (anew) by its user: `queued_at`, `rank`. `ahead`: what its
    priority adds, `rank(0.0, priority)`."""
    return {"queued_at": func.now(), "rank": func.extract("epoch", func.now()) + ahead}


def lock_room(conn: Connection, owner: str) -> bool:
    """Whether one more training of the owner may start; until the transaction ends, nobody else gets to start one.

    Two statements, for the count must see what was committed while this waited for the lock.
    """
    limit = conn.execute(select(owners.c.max_running).where(owners.c.name == owner).with_for_update()).scalar()
    running = conn.execute(select(trainings_of(literal(owner)).c.running)).scalar_one()
    return has_room(QUOTA_KIND, running, limit)


def set_quota(conn: Connection, owner: str, max_running: int | None) -> None:
    """From now on the owner runs at most so many trainings at once (None: any number); running ones go on."""
    statement = insert(owners).values(name=owner, max_running=max_running)
    told = {"max_running": max_running}
    conn.execute(statement.on_conflict_do_update(index_elements=[owners.c.name], set_=told))
