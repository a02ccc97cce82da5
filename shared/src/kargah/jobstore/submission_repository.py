"""A job's birth."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Connection, Double, bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningInsert

from kargah.contracts.jobs import JobView
from kargah.domain.errors import Conflict
from kargah.domain.job_state import Status
from kargah.domain.queue_policy import rank
from kargah.jobstore.history_repository import status_event
from kargah.jobstore.query_repository import get_job
from kargah.jobstore.queue_repository import lock_waiting, queue_changes, require_room_to_wait
from kargah.jobstore.tables import events, jobs, owners
from kargah.jobstore.values import NewJob
from kargah.jobstore.views import job_view

_GIVEN = (
    "id",
    "kind",
    "name",
    "config",
    "owner",
    "priority",
    "devices",
    "origin",
    "idempotency_key",
    "idempotency_digest",
)
_BEGUN = status_event(Status.PENDING)
_FIRST_EVENT = insert(events).values(
    job_id=bindparam("new_id"), number=1, type=_BEGUN.type, data=dict(_BEGUN.data), generation=0
)


def insert_job(conn: Connection, new: NewJob, usually_waiting: int | None = None) -> tuple[JobView, bool]:
    """Queue `new`; the job, and True. With an idempotency key that was used before: the first job, and False.

    So many jobs may wait of an owner without a limit of its own: `usually_waiting`, None without a limit. Raises
    Conflict when that key came with a different request, OverQuota when the owner has as many waiting as it may.
    """
    limit = lock_waiting(conn, new.owner, usually_waiting)
    row = conn.execute(_birth(), _born(new)).one_or_none()
    if row is None:
        first = _first(conn, new.owner, new.idempotency_key or "", new.idempotency_digest)
        return get_job(conn, first), False
    require_room_to_wait(conn, new.owner, limit)
    conn.execute(_FIRST_EVENT, {"new_id": new.id})
    return job_view(row), True


@cache
def _birth() -> ReturningInsert[Any]:
    """The owner, if new, and the job, in one statement that is built once. Nobody follows a job whose id nobody knows
    yet: no NOTIFY, for which commits would wait for each other."""
    owner = insert(owners).values(name=bindparam("new_owner")).on_conflict_do_nothing().cte("owner")
    given: dict[str, Any] = {name: bindparam(f"new_{name}") for name in _GIVEN}
    statement = insert(jobs).values(**given, **queue_changes(bindparam("new_rank", type_=Double)), event_count=1)
    once = statement.on_conflict_do_nothing(
        index_elements=[jobs.c.owner, jobs.c.idempotency_key], index_where=jobs.c.idempotency_key.is_not(None)
    )
    return once.add_cte(owner).returning(jobs)


def _born(new: NewJob) -> dict[str, Any]:
    given = {
        "id": new.id,
        "kind": new.kind,
        "name": new.name,
        "config": new.config.model_dump(mode="json", by_alias=True),
        "owner": new.owner,
        "priority": new.priority,
        "devices": new.config.devices,
        "origin": dict(new.origin),
        "idempotency_key": new.idempotency_key,
        "idempotency_digest": new.idempotency_digest,
    }
    return {f"new_{name}": value for name, value in given.items()} | {"new_rank": rank(0.0, new.priority)}


def find_submitted(conn: Connection, owner: str, key: str, digest: str) -> str | None:
    """The owner's job submitted with this idempotency key, None if there is none.

    Raises Conflict when the key came with a different request.
    """
    mine = select(jobs.c.id, jobs.c.idempotency_digest).where(jobs.c.owner == owner, jobs.c.idempotency_key == key)
    row = conn.execute(mine).one_or_none()
    if row is None:
        return None
    if row.idempotency_digest != digest:
        raise Conflict(
            f"The Idempotency-Key was used for {row.id}, which was a different request.",
            hint="Use a new key for each new job; repeat a key only with the same body.",
        )
    return str(row.id)


def _first(conn: Connection, owner: str, key: str, digest: str | None) -> str:
    found = find_submitted(conn, owner, key, digest or "")
    if found is None:
        raise Conflict("The job with this Idempotency-Key has just been deleted.", hint="Submit it again.")
    return found
