"""Checkpoints as users handle them: pinned, gone back to, and handed to another job."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from kargah.contracts.jobs import CheckpointView, StartRef
from kargah.domain.errors import FieldError, Gone, Invalid, NotFound
from kargah.domain.job_state import Cause
from kargah.jobstore.history_repository import change_job
from kargah.jobstore.tables import checkpoints, events
from kargah.jobstore.values import EventEntry
from kargah.jobstore.views import checkpoint_view


def list_checkpoints(conn: Connection, job_id: str) -> list[CheckpointView]:
    """The committed checkpoints, newest first."""
    rows = conn.execute(
        select(checkpoints)
        .where(checkpoints.c.job_id == job_id)
        .order_by(checkpoints.c.created_at.desc(), checkpoints.c.step.desc())
    )
    return [checkpoint_view(row) for row in rows]


def find(conn: Connection, job_id: str, checkpoint_id: str) -> tuple[CheckpointView, str]:
    """A checkpoint, and the key before its files' paths. Raises NotFound, and Gone for one that was removed."""
    mine = checkpoints.c.job_id == job_id
    row = conn.execute(select(checkpoints).where(mine, checkpoints.c.id == checkpoint_id)).one_or_none()
    if row is not None:
        return checkpoint_view(row), row.prefix
    told = select(events.c.data).where(events.c.job_id == job_id, events.c.type == "checkpoint_dropped")
    dropped = next((data for data in conn.execute(told).scalars() if data.get("id") == checkpoint_id), None)
    if dropped is None:
        raise NotFound(f"Job {job_id} has no checkpoint {checkpoint_id}.", hint=_listed(job_id))
    raise Gone(
        f"Checkpoint {checkpoint_id} (step {dropped['step']}) was removed: {dropped['reason']}.",
        hint=f"{_listed(job_id)} One that is pinned is kept.",
    )


def pin(conn: Connection, job_id: str, checkpoint_id: str, pinned: bool) -> CheckpointView:
    """Keep the checkpoint for good, or leave it to the retention rules again. Raises NotFound."""
    row = conn.execute(
        update(checkpoints)
        .where(checkpoints.c.id == checkpoint_id, checkpoints.c.job_id == job_id)
        .values(pinned=pinned)
        .returning(*checkpoints.c)
    ).one_or_none()
    if row is None:
        raise NotFound(f"Job {job_id} has no checkpoint {checkpoint_id}.", hint=_listed(job_id))
    return checkpoint_view(row)


def hand_over(conn: Connection, job_id: str, checkpoint_id: str | None) -> StartRef | None:
    """Pin a checkpoint of `job_id` (its furthest if none is named) so that another job can begin with it.

    None when it has none. Raises Invalid for one that it does not have.
    """
    statement = select(checkpoints).where(checkpoints.c.job_id == job_id)
    if checkpoint_id is not None:
        statement = statement.where(checkpoints.c.id == checkpoint_id)
    furthest = statement.order_by(checkpoints.c.step.desc(), checkpoints.c.generation.desc()).limit(1)
    row = conn.execute(furthest.with_for_update()).one_or_none()
    if row is None:
        if checkpoint_id is not None:
            raise unknown_checkpoint(job_id, checkpoint_id)
        return None
    pin(conn, job_id, row.id, True)
    return StartRef(job_id=job_id, checkpoint_id=row.id, step=row.step)


def go_back_to(conn: Connection, job: Row[Any], checkpoint_id: str) -> dict[str, Any]:
    """Make `checkpoint_id` the furthest of the locked `job`: later ones are given up, or a crash would bring them back.

    The changes to the job's row. Raises Invalid for one that it does not have.
    """
    mine = checkpoints.c.job_id == job.id
    chosen = conn.execute(select(checkpoints).where(mine, checkpoints.c.id == checkpoint_id)).one_or_none()
    if chosen is None:
        raise unknown_checkpoint(job.id, checkpoint_id)
    later = conn.execute(
        delete(checkpoints)
        .where(mine, checkpoints.c.step >= chosen.step, checkpoints.c.id != chosen.id)
        .returning(checkpoints.c.id, checkpoints.c.step)
    )
    reason = f"the job goes on from step {chosen.step}"
    dropped = [
        EventEntry("checkpoint_dropped", {"id": row.id, "step": row.step, "reason": reason, "cause": Cause.WENT_BACK})
        for row in sorted(later, key=lambda row: int(row.step))
    ]
    change_job(conn, job.id, {}, events_=dropped)
    return {"saved_step": chosen.step, "crash_step": min(chosen.step, job.crash_step)}


def unknown_checkpoint(job_id: str, checkpoint_id: str) -> Invalid:
    """For a field `checkpoint` that names none of the job's."""
    message = f"Job {job_id} has no checkpoint {checkpoint_id!r}. {_listed(job_id)}"
    return Invalid("The checkpoint is not there.", errors=[FieldError("checkpoint", message, "unknown_checkpoint")])


def _listed(job_id: str) -> str:
    return f"GET /api/jobs/{job_id}/checkpoints lists those that can be restored."
