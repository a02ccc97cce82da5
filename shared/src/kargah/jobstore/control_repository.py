"""What users may do to a job: compare-and-set, so that of two who race exactly one wins."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, func, select

from kargah.domain.errors import Conflict, NotFound
from kargah.domain.job_state import ACTIVE, Desired, Event, Status, controls, next_status
from kargah.jobstore.history_repository import change_job, end_attempt, leave_active, status_event
from kargah.jobstore.tables import jobs
from kargah.jobstore.values import EventEntry


def request_pause(conn: Connection, job_id: str) -> None:
    """A waiting job is paused at once; a running one when its checkpoint is saved. Raises NotFound, Conflict."""
    job = _allowed(conn, job_id, "pause")
    if job.status == Status.PENDING:
        _move(conn, job, Event.PAUSED, desired=Desired.RUN)
    else:
        _wish(conn, job, Desired.PAUSE)


def request_resume(conn: Connection, job_id: str) -> None:
    """Queue a paused job again. Raises NotFound, Conflict."""
    job = _allowed(conn, job_id, "resume")
    _move(conn, job, Event.RESUME, desired=Desired.RUN, queued_at=func.now())


def request_stop(conn: Connection, job_id: str) -> None:
    """Finish early and keep the model. Raises NotFound, Conflict."""
    _wish(conn, _allowed(conn, job_id, "stop"), Desired.STOP)


def request_checkpoint(conn: Connection, job_id: str) -> None:
    """Save a checkpoint now. Raises NotFound, Conflict."""
    job = _allowed(conn, job_id, "checkpoint")
    number = job.checkpoint_request + 1
    asked = EventEntry("checkpoint_requested", {"request": number})
    change_job(conn, job_id, {"checkpoint_request": number}, events_=[asked])


def cancel(conn: Connection, job_id: str) -> None:
    """End the job at once, whatever its worker does; checkpoints stay. Raises NotFound, Conflict."""
    job = _allowed(conn, job_id, "cancel")
    held = leave_active() if Status(job.status) in ACTIVE else {}
    _move(conn, job, Event.CANCEL, desired=Desired.RUN, finished_at=func.now(), **held)
    end_attempt(conn, job_id, job.generation, "cancelled")


def _allowed(conn: Connection, job_id: str, control: str) -> Row[Any]:
    """Lock the row and ask the state table. Until commit the job can neither finish nor be claimed."""
    job = conn.execute(select(jobs).where(jobs.c.id == job_id).with_for_update()).one_or_none()
    if job is None:
        raise NotFound(f"There is no job {job_id}.", hint="GET /api/jobs lists the jobs there are.")
    legal = controls(Status(job.status))
    if control not in legal:
        possible = f"possible now: {', '.join(legal)}" if legal else "it has ended, nothing more can be done to it"
        raise Conflict(
            f"Cannot {control} job {job_id}: it is {job.status}.",
            hint=possible[0].upper() + possible[1:] + ".",
            extra={"status": job.status, "controls": list(legal)},
        )
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
