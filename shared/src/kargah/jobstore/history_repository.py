"""The one way a job's row changes after its birth: with its events and log lines, numbered without gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Text, bindparam, func, insert, select, text, update

from kargah.domain.job_state import Status
from kargah.jobstore.clean import clean_json, clean_text
from kargah.jobstore.tables import attempts, events, jobs, logs
from kargah.jobstore.values import EventEntry, LogEntry

CHANNEL = "kargah_events"
_NOTIFY = select(func.pg_notify(CHANNEL, bindparam("of_job", type_=Text)))
_NEW_EVENTS, _NEW_LOGS = insert(events), insert(logs)


def change_job(
    conn: Connection,
    job_id: str,
    changes: Mapping[str, Any],
    *,
    events_: Sequence[EventEntry] = (),
    logs_: Sequence[LogEntry] = (),
) -> None:
    """Apply `changes` to the row and append events and lines; wakes SSE readers when the transaction commits.

    The caller holds the row's lock and has checked that the change is legal. The counters live in the row, so
    numbers are given in the order of commits and a rolled back transaction leaves no gap.
    """
    row = conn.execute(
        update(jobs)
        .where(jobs.c.id == job_id)
        .values(
            **changes,
            event_count=jobs.c.event_count + len(events_),
            log_count=jobs.c.log_count + len(logs_),
        )
        .returning(jobs.c.event_count, jobs.c.log_count, jobs.c.generation)
    ).one()
    _append_events(conn, job_id, row.generation, row.event_count - len(events_), events_)
    _append_logs(conn, job_id, row.generation, row.log_count - len(logs_), logs_)
    notify(conn, job_id)


def notify(conn: Connection, job_id: str) -> None:
    """Wake whoever follows the job, at commit."""
    conn.execute(_NOTIFY, {"of_job": job_id})


def status_event(status: Status, **details: Any) -> EventEntry:
    """The `status` event of a change to `status`; details that are None are left out."""
    given = {name: value for name, value in details.items() if value is not None}
    return EventEntry("status", {"status": status.value, **given})


def leave_active() -> dict[str, Any]:
    """The changes that end an attempt's hold on a job: no lease, and its time added to the job's duration.

    Time after the lease's end is not counted: nobody was working then.
    """
    return {
        "lease_until": None,
        "active_since": None,
        "active_seconds": text(
            "active_seconds + coalesce(greatest(0, extract(epoch FROM least(now(), lease_until) - active_since)), 0)"
        ),
    }


def end_attempt(
    conn: Connection, job_id: str, generation: int, outcome: str, error: Mapping[str, Any] | None = None
) -> None:
    """Close the attempt's row, if it is still open."""
    conn.execute(
        update(attempts)
        .where(attempts.c.job_id == job_id, attempts.c.generation == generation, attempts.c.ended_at.is_(None))
        .values(ended_at=func.now(), outcome=outcome, **({"error": error} if error is not None else {}))
    )


def _append_events(conn: Connection, job_id: str, generation: int, last: int, entries: Sequence[EventEntry]) -> None:
    rows = [
        {
            "job_id": job_id,
            "number": number,
            "type": clean_text(entry.type),
            "data": clean_json(dict(entry.data)),
            "generation": generation,
        }
        for number, entry in enumerate(entries, start=last + 1)
    ]
    if rows:
        conn.execute(_NEW_EVENTS, rows)


def _append_logs(conn: Connection, job_id: str, generation: int, last: int, entries: Sequence[LogEntry]) -> None:
    rows = [
        {
            "job_id": job_id,
            "number": number,
            "level": clean_text(entry.level),
            "message": clean_text(entry.message),
            "generation": generation,
        }
        for number, entry in enumerate(entries, start=last + 1)
    ]
    if rows:
        conn.execute(_NEW_LOGS, rows)
