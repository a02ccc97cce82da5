"""The queue's rules as the database keeps them: what a job gets when it starts to wait, and owners' quotas."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, func, literal, select
from sqlalchemy.dialects.postgresql import insert

from kargah.domain.errors import OverQuota
from kargah.domain.queue_policy import QUOTA_KIND, has_room
from kargah.domain.wording import counted
from kargah.jobstore.heads_repository import trainings_of
from kargah.jobstore.tables import IS_PENDING, jobs, owners

_RETRY_SECONDS = 60
_MAX_WAITING = select(owners.c.max_waiting).where(owners.c.name == bindparam("owner_"))


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


def lock_waiting(conn: Connection, owner: str, usual: int | None) -> int | None:
    """How many jobs of the owner may wait; None: any number. `usual` holds for owners without a limit of their own.
    Where there is one, nobody else submits a job of the owner until the transaction ends."""
    own = conn.execute(_MAX_WAITING, {"owner_": owner}).scalar()
    limit = usual if own is None else own
    if limit is not None:
        conn.execute(insert(owners).values(name=owner).on_conflict_do_nothing())
        conn.execute(_MAX_WAITING.with_for_update(), {"owner_": owner})
    return limit


def require_room_to_wait(conn: Connection, owner: str, limit: int | None) -> None:
    """After a job was inserted. Raises OverQuota when that is one too many."""
    if limit is None:
        return
    mine = select(func.count()).select_from(jobs).where(IS_PENDING, jobs.c.owner == owner)
    before = conn.execute(mine).scalar_one() - 1
    if before >= limit:
        message = f"{counted(before, 'job')} of {owner} wait{'s' if before == 1 else ''}, and {limit} may."
        hint = "Wait until one has started, cancel one, or ask who looks after the platform for more."
        if limit == 0:
            message, hint = f"No job of {owner} may wait: none is accepted.", "Ask who looks after the platform."
        raise OverQuota(message, hint=hint, extra={"seconds": _RETRY_SECONDS})


def set_quota(conn: Connection, owner: str, max_running: int | None) -> None:
    """From now on the owner runs at most so many trainings at once (None: any number); running ones go on."""
    _limit(conn, owner, {"max_running": max_running})


def set_waiting_quota(conn: Connection, owner: str, max_waiting: int | None) -> None:
    """From now on no job of the owner is accepted while so many wait (None: as many as usual); those that do stay."""
    _limit(conn, owner, {"max_waiting": max_waiting})


def _limit(conn: Connection, owner: str, limits: dict[str, int | None]) -> None:
    statement = insert(owners).values(name=owner, **limits)
    conn.execute(statement.on_conflict_do_update(index_elements=[owners.c.name], set_=limits))
