"""Reading jobs and their histories. Costs follow what is shown, not how many jobs have ended."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select, tuple_

from kargah.contracts.jobs import (
    AttemptView,
    EventView,
    JobView,
    LogLine,
    LogPage,
)
from kargah.domain.errors import NotFound
from kargah.domain.job_state import TERMINAL, Status
from kargah.domain.scope import EVERY, current_project
from kargah.jobstore.tables import attempts, events, jobs, logs
from kargah.jobstore.values import JobCursor, JobFilter, Tail
from kargah.jobstore.views import (
    attempt_view,
    event_view,
    job_view,
    log_line,
)

_COUNTED = 10_000
_HELD = func.extract("epoch", func.least(func.now(), jobs.c.lease_until) - jobs.c.active_since)
_RUNNING = func.coalesce(func.greatest(0.0, _HELD), 0.0)  # GREATEST passes over NULL: not running is 0
_SHOWN = select(jobs, (jobs.c.active_seconds + _RUNNING).label("duration_seconds"))


def get_job(conn: Connection, job_id: str, *, kind: str | None = None) -> JobView:
    """The job. Raises NotFound, also when it is of another kind than `kind`."""
    statement = _SHOWN.where(jobs.c.id == job_id)
    if kind is not None:
        statement = statement.where(jobs.c.kind == kind)
    row = conn.execute(statement).one_or_none()
    if row is None:
        raise NotFound(f"There is no job {job_id}.", hint="See what there is: kargah jobs, or GET /api/jobs.")
    return job_view(row)


def tails(conn: Connection, job_ids: Collection[str]) -> dict[str, Tail]:
    """How far each has come, by job; one that there is no more is left out."""
    columns = (jobs.c.id, jobs.c.status, jobs.c.event_count, jobs.c.log_count)
    rows = conn.execute(select(*columns).where(jobs.c.id.in_(list(job_ids))))
    return {row.id: Tail(Status(row.status), row.event_count, row.log_count) for row in rows}


def list_jobs(
    conn: Connection, filters: JobFilter, cursor: JobCursor | None = None, limit: int = 50
) -> tuple[list[JobView], JobCursor | None]:
    """At most `limit` jobs, newest first, from beyond `cursor`; and the cursor of the next page, None at the end."""
    statement = _SHOWN.where(*_matching(filters)).order_by(jobs.c.created_at.desc(), jobs.c.id.desc())
    if cursor is not None:
        statement = statement.where(tuple_(jobs.c.created_at, jobs.c.id) < tuple_(cursor.created_at, cursor.id))
    rows = conn.execute(statement.limit(limit + 1)).all()
    page = rows[:limit]
    further = JobCursor(page[-1].created_at, page[-1].id) if len(rows) > limit else None
    return [job_view(row) for row in page], further


def count_jobs(conn: Connection, filters: JobFilter) -> int | None:
    """How many jobs match; None when more than 10,000 do, for counting them all would not be quick."""
    some = select(jobs.c.id).where(*_matching(filters)).limit(_COUNTED + 1).subquery()
    count = conn.execute(select(func.count()).select_from(some)).scalar_one()
    return None if count > _COUNTED else count


def live_jobs_with_model(conn: Connection, name: str, version: int | None, limit: int = 20) -> list[tuple[str, str]]:
    """Id and name of jobs that have not ended and work on the model (on that version of it), oldest first."""
    return _live_jobs_with(conn, "baseModel", name, version, limit)


def live_jobs_with_dataset(conn: Connection, name: str, version: int | None, limit: int = 20) -> list[tuple[str, str]]:
    """The same of a dataset (of that version of it)."""
    return _live_jobs_with(conn, "dataset", name, version, limit)


def _live_jobs_with(conn: Connection, role: str, name: str, version: int | None, limit: int) -> list[tuple[str, str]]:
    """`role`: the part of a job's configuration that names the input."""
    named = jobs.c.config[role]
    statement = select(jobs.c.id, jobs.c.name).where(
        jobs.c.status.not_in([status.value for status in TERMINAL]), named["name"].astext == name
    )
    if version is not None:
        statement = statement.where(named["version"].astext == str(version))
    rows = conn.execute(statement.order_by(jobs.c.created_at, jobs.c.id).limit(limit))
    return [(row.id, row.name) for row in rows]


def log_tail(conn: Connection, job_id: str, limit: int) -> LogPage:
    """The last `limit` lines, oldest first. Raises NotFound."""
    total = _job_column(conn, job_id, jobs.c.log_count)
    return LogPage(lines=log_lines_after(conn, job_id, max(0, total - limit), limit), total=total)


def log_lines_after(conn: Connection, job_id: str, number: int, limit: int) -> list[LogLine]:
    """At most `limit` lines with numbers above `number`, in order."""
    rows = conn.execute(
        select(logs).where(logs.c.job_id == job_id, logs.c.number > number).order_by(logs.c.number).limit(limit)
    )
    return [log_line(row) for row in rows]


def events_after(
    conn: Connection, job_id: str, number: int, limit: int = 500, types: Collection[str] | None = None
) -> list[EventView]:
    """At most `limit` events with numbers above `number`, in order; of these `types`, or of all."""
    wanted = select(events).where(events.c.job_id == job_id, events.c.number > number)
    if types is not None:
        wanted = wanted.where(events.c.type.in_(list(types)))
    return [event_view(row) for row in conn.execute(wanted.order_by(events.c.number).limit(limit))]


def list_attempts(conn: Connection, job_id: str) -> list[AttemptView]:
    """The attempts, newest first."""
    rows = conn.execute(select(attempts).where(attempts.c.job_id == job_id).order_by(attempts.c.generation.desc()))
    return [attempt_view(row) for row in rows]


def _matching(filters: JobFilter) -> list[ColumnElement[bool]]:
    columns = jobs.c
    tests: list[tuple[object, Callable[[Any], ColumnElement[bool]]]] = [
        (filters.kind, lambda kind: columns.kind == kind),
        (filters.status, lambda status: columns.status == status),
        (filters.name_contains, lambda part: columns.name.icontains(part, autoescape=True)),
        (filters.created_after, lambda moment: columns.created_at >= moment),
        (filters.created_before, lambda moment: columns.created_at < moment),
        # Postgres sees to that too; said here, it is what the index of owners answers.
        (None if current_project() == EVERY else current_project(), lambda owner: columns.owner == owner),
    ]
    return [test(value) for value, test in tests if value is not None]


def _job_column(conn: Connection, job_id: str, column: Any) -> int:
    row: Row[Any] | None = conn.execute(select(column).where(jobs.c.id == job_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no job {job_id}.", hint="See what there is: kargah jobs, or GET /api/jobs.")
    return int(row[0])
