"""A job's birth."""

from __future__ import annotations

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from kargah.domain.errors import Conflict
from kargah.domain.job_state import Status
from kargah.jobstore.history_repository import change_job, status_event
from kargah.jobstore.queue_repository import add_owner, queue_changes
from kargah.jobstore.tables import jobs
from kargah.jobstore.values import NewJob


def insert_job(conn: Connection, new: NewJob) -> tuple[str, bool]:
    """Queue `new`; its id, and True. With an idempotency key that was used before: the first job's id, and False.

    Raises Conflict when that key came with a different request.
    """
    add_owner(conn, new.owner)
    statement = insert(jobs).values(
        id=new.id,
        kind=new.kind,
        name=new.name,
        config=new.config.model_dump(mode="json", by_alias=True),
        owner=new.owner,
        priority=new.priority,
        devices=new.config.devices,
        origin=dict(new.origin),
        **queue_changes(new.priority),
        idempotency_key=new.idempotency_key,
        idempotency_digest=new.idempotency_digest,
    )
    inserted = conn.execute(
        statement.on_conflict_do_nothing(
            index_elements=[jobs.c.owner, jobs.c.idempotency_key], index_where=jobs.c.idempotency_key.is_not(None)
        ).returning(jobs.c.id)
    ).scalar_one_or_none()
    if inserted is None and new.idempotency_key is not None:
        return _first(conn, new.owner, new.idempotency_key, new.idempotency_digest), False
    change_job(conn, new.id, {}, events_=[status_event(Status.PENDING)])
    return new.id, True


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
