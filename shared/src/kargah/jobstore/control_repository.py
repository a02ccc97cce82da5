"""What users may do to a job: compare-and-set, so that of two who race one wins. Asking twice is asking once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, func, select

from kargah.domain.errors import Conflict, NotFound
from kargah.domain.job_state import ACTIVE, CONTROLS, Desired, Event, Status, applies, controls, next_status
from kargah.domain.queue_policy import rank
from kargah.jobstore.checkpoint_repository import go_back_to
from kargah.jobstore.history_repository import change_job, end_attempt, leave_active, status_event
from kargah.jobstore.queue_repository import queue_changes
from kargah.jobstore.tables import jobs
from kargah.jobstore.values import EventEntry


def request_pause(conn: Connection, job_id: str) -> None:
    """A waiting job is paused at once; a running one when its checkpoint is saved. Raises NotFound, Conflict."""
    job = _locked(conn, job_id, "pause")
    if job.status == Status.PENDING:
        _move(conn, job, Event.PAUSED, desired=Desired.RUN)
    elif job.status != Status.PAUSED:
        _wish(conn, job, Desired.PAUSE)


def request_resume(conn: Connection, job_id: str, checkpoint_id: str | None = None) -> None:
    """Queue a paused job again, from `checkpoint_id` if one is chosen; withdraw a pause that is not yet served.

    Raises NotFound, Invalid for a checkpoint that the job does not have, Conflict.
    """
    job = _locked(conn, job_id, "resume")
    if job.status == Status.PAUSED:
        went_back = go_back_to(conn, job, checkpoint_id) if checkpoint_id is not None else {}
        _move(conn, job, Event.RESUME, desired=Desired.RUN, **queue_changes(rank(0.0, job.priority)), **went_back)
    elif checkpoint_id is not None:
        raise Conflict(
            f"Job {job_id} is {job.status}: a checkpoint can be chosen only while it is paused.", hint="Pause it first."
        )
    elif job.desired == Desired.PAUSE:
        _wish(conn, job, Desired.RUN)


def request_stop(conn: Connection, job_id: str) -> None:
    """Finish early and keep the model. Raises NotFound, Conflict."""
    job = _locked(conn, job_id, "stop")
    if job.status in ACTIVE:
        _wish(conn, job, Desired.STOP)


def request_checkpoint(conn: Connection, job_id: str) -> None:
    """Save a checkpoint now; it is pinned. One that is still awaited answers both. Raises NotFound, Conflict."""
    job = _locked(conn, job_id, "checkpoint")
    if job.checkpoint_request > job.checkpoint_served:
        return
    number = job.checkpoint_request + 1
    asked = EventEntry("checkpoint_requested", {"request": number})
    change_job(conn, job_id, {"checkpoint_request": number}, events_=[asked])


def cancel(conn: Connection, job_id: str) -> None:
    """End the job at once, whatever its worker does; checkpoints stay. Raises NotFound, Conflict."""
    job = _locked(conn, job_id, "cancel")
    if job.status == Status.CANCELLED:
        return
    held = leave_active() if Status(job.status) in ACTIVE else {}
    _move(conn, job, Event.CANCEL, desired=Desired.RUN, finished_at=func.now(), **held)
    end_attempt(conn, job_id, job.generation, "cancelled")


def change_priority(conn: Connection, job_id: str, priority: int) -> None:
    """How soon its turn comes; a job keeps the time it has waited. Raises NotFound, Conflict for one that has ended."""
    job = lock_job(conn, job_id)
    if next_status(Status(job.status), Event.CANCEL) is None:
        raise Conflict(f"Job {job_id} has ended: it is {job.status}.", hint="Its priority matters no more.")
    if job.priority != priority:
        told = EventEntry("priority", {"priority": priority})
        moved = rank(0.0, priority) - rank(0.0, job.priority)
        change_job(conn, job_id, {"priority": priority, "rank": job.rank + moved}, events_=[told])


def lock_job(conn: Connection, job_id: str) -> Row[Any]:
    """The job's row, which until commit can neither finish nor be claimed. Raises NotFound."""
    job = conn.execute(select(jobs).where(jobs.c.id == job_id).with_for_update()).one_or_none()
    if job is None:
        raise NotFound(f"There is no job {job_id}.", hint="See what there is: kargah jobs, or GET /api/jobs.")
    return job


def require(job: Row[Any], control: str) -> None:
    """Ask the state table. Raises Conflict with what is legal instead."""
    status = Status(job.status)
    if applies(control, job.kind) and status in CONTROLS[control].legal | CONTROLS[control].served:
        return
    legal = controls(status, job.kind)
    kind = "" if applies(control, job.kind) else f" and of kind {job.kind}"
    raise Conflict(
        f"Cannot {control} job {job.id}: it is {status}{kind}.",
        hint=f"Possible now: {', '.join(legal)}.",
        extra={"status": status, "controls": list(legal)},
    )


def _locked(conn: Connection, job_id: str, control: str) -> Row[Any]:
    job = lock_job(conn, job_id)
    require(job, control)
    return job


def _move(conn: Connection, job: Row[Any], event: Event, **changes: Any) -> None:
    target = next_status(Status(job.status), event)
    if target is None:
        raise Conflict(f"Job {job.id} is {job.status}: {event.value} is not possible.")
    change_job(conn, job.id, {"status": target, **changes}, events_=[status_event(target)])


def _wish(conn: Connection, job: Row[Any], desired: Desired) -> None:
    """Asking twice changes nothing and tells nothing new."""
    if job.desired != desired:
        told = status_event(Status(job.status), desired=desired.value)
        change_job(conn, job.id, {"desired": desired}, events_=[told])
