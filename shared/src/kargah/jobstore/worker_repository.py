"""Who is there to work: agents announce themselves, and fade away when they no longer do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from kargah.contracts.queue import WorkerView
from kargah.domain.queue_policy import LivingWorker
from kargah.domain.scope import EVERY, current_project
from kargah.jobstore.clean import clean_json, clean_text
from kargah.jobstore.tables import jobs, workers

ALIVE_SECONDS = 20.0
"""An agent announces itself every five seconds; one that has been silent for so long counts as gone."""

_ALIVE = workers.c.seen_at > func.now() - timedelta(seconds=ALIVE_SECONDS)


def announce(
    conn: Connection, name: str, kinds: Sequence[str], device: Mapping[str, Any], job_id: str | None, *, first: bool
) -> None:
    """The worker is there. With `first` it has just started, whatever an earlier process of its name has left."""
    told = {
        "kinds": clean_json(list(kinds)),
        "device": clean_json(dict(device)),
        "job_id": job_id,
        "seen_at": func.now(),
        **({"started_at": func.now()} if first else {}),
    }
    statement = insert(workers).values(name=clean_text(name), **told)
    conn.execute(statement.on_conflict_do_update(index_elements=[workers.c.name], set_=told))


def leave(conn: Connection, name: str) -> None:
    """The worker has ended in order."""
    conn.execute(delete(workers).where(workers.c.name == clean_text(name)))


def forget_workers(conn: Connection, unseen_seconds: float) -> None:
    """Remove those who have not been seen for so long."""
    conn.execute(delete(workers).where(workers.c.seen_at < func.now() - timedelta(seconds=unseen_seconds)))


def list_workers(conn: Connection) -> list[WorkerView]:
    """All that are known, those alive first, by name; with the ids of jobs that this project can see."""
    alive, busy = _ALIVE.label("alive"), workers.c.job_id.is_not(None).label("busy")
    rows = conn.execute(select(workers, alive, busy).order_by(alive.desc(), workers.c.name)).all()
    shown = _visible(conn, [row.job_id for row in rows])
    return [
        WorkerView.model_validate({**row._mapping, "job_id": row.job_id if row.job_id in shown else None})
        for row in rows
    ]


def _visible(conn: Connection, job_ids: Sequence[str | None]) -> set[str | None]:
    if current_project() == EVERY:
        return set(job_ids)
    return set(conn.scalars(select(jobs.c.id).where(jobs.c.id.in_([one for one in job_ids if one is not None]))))


def living_workers(conn: Connection) -> list[LivingWorker]:
    """Those alive, in no order."""
    rows = conn.execute(select(workers.c.kinds, workers.c.job_id, workers.c.device).where(_ALIVE))
    return [LivingWorker(frozenset(row.kinds), row.job_id, int(row.device.get("devices", 1))) for row in rows]
