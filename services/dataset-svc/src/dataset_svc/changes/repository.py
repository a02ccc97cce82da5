"""All SQL of changes. Functions take an open connection; only the unit of work commits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, delete, func, insert, or_, select, update

from dataset_svc.changes.tables import changes
from dataset_svc.changes.values import Change
from dataset_svc.datasets.repository import named
from dataset_svc.datasets.tables import datasets
from kargah.domain.ids import new_id

LIVE = ("waiting", "working")


def add(conn: Connection, dataset: str, kind: str, request: dict[str, Any], total_bytes: int) -> Change | None:
    """Record one to be done; None when the dataset is gone. Until it has ended the dataset cannot be deleted."""
    owner = select(datasets.c.id).where(named(dataset)).with_for_update(key_share=True, read=True)
    dataset_id = conn.execute(owner).scalar()
    if dataset_id is None:
        return None
    own = new_id("change")
    values = {"dataset_id": dataset_id, "kind": kind, "request": request, "total_bytes": total_bytes}
    conn.execute(insert(changes).values(id=own, **values))
    return get(conn, own)


def get(conn: Connection, change_id: str) -> Change | None:
    """The change of that id."""
    row = conn.execute(_select().where(changes.c.id == change_id)).one_or_none()
    return None if row is None else _change(row)


def newest(conn: Connection, dataset: str | None, limit: int) -> list[Change]:
    """At most `limit`, newest first; of one dataset, or of all."""
    query = _select() if dataset is None else _select().where(named(dataset))
    rows = conn.execute(query.order_by(changes.c.created_at.desc(), changes.c.id.desc()).limit(limit))
    return [_change(row) for row in rows]


def live_of(conn: Connection, dataset: str) -> Sequence[str]:
    """Ids of those of a dataset that have not ended; until the transaction ends, no other is added."""
    owner = select(datasets.c.id).where(named(dataset)).with_for_update()
    dataset_id = conn.execute(owner).scalar()
    live = and_(changes.c.dataset_id == dataset_id, changes.c.state.in_(LIVE))
    return conn.execute(select(changes.c.id).where(live).order_by(changes.c.created_at)).scalars().all()


def cancel(conn: Connection, change_id: str) -> bool:
    """Whoever works on it makes no version of it any more; False when it has ended."""
    live = and_(changes.c.id == change_id, changes.c.state.in_(LIVE))
    return conn.execute(update(changes).where(live).values(state="cancelled", ended_at=func.now())).rowcount == 1


def claim(conn: Connection, lease: timedelta) -> Change | None:
    """The oldest that nobody holds, now held by the caller under a new generation."""
    free = or_(changes.c.lease_until.is_(None), changes.c.lease_until < func.now())
    oldest = select(changes.c.id).where(changes.c.state.in_(LIVE), free).order_by(changes.c.created_at).limit(1)
    statement = update(changes).where(changes.c.id.in_(oldest.with_for_update(skip_locked=True)))
    values = {"generation": changes.c.generation + 1, "lease_until": func.now() + lease, "done_bytes": 0}
    claimed = statement.values(state="working", started_at=func.now(), **values).returning(changes.c.id)
    found = conn.execute(claimed).scalar_one_or_none()
    return None if found is None else get(conn, found)


def renew(conn: Connection, held: Change, lease: timedelta, done_bytes: int) -> bool:
    """Hold it longer and tell how far it is; False when it is somebody else's by now, or cancelled."""
    return _write(conn, held, lease_until=func.now() + lease, done_bytes=done_bytes)


def let_go(conn: Connection, held: Change, pause: timedelta) -> bool:
    """Let it be claimed again after `pause`."""
    return _write(conn, held, lease_until=func.now() + pause)


def finish(conn: Connection, held: Change, version_id: str | None, is_new: bool, report: dict[str, Any] | None) -> bool:
    """It is done, in that version where it made or found one; False when it is somebody else's by now."""
    ended = {"state": "done", "ended_at": func.now(), "done_bytes": changes.c.total_bytes}
    return _write(conn, held, version_id=version_id, is_new=is_new, report=report, **ended)


def fail(conn: Connection, held: Change, problem: dict[str, Any]) -> bool:
    """It cannot be done, and why; False when it is somebody else's by now."""
    return _write(conn, held, state="failed", ended_at=func.now(), problem=problem)


def forget(conn: Connection, kept: timedelta) -> int:
    """Remove those that ended `kept` ago; how many."""
    return conn.execute(delete(changes).where(changes.c.ended_at < func.now() - kept)).rowcount


def _write(conn: Connection, held: Change, **values: Any) -> bool:
    fence = and_(changes.c.id == held.id, changes.c.generation == held.generation, changes.c.state == "working")
    return conn.execute(update(changes).where(fence).values(**values)).rowcount == 1


def _select() -> Select[Any]:
    seconds = func.extract("epoch", func.now() - changes.c.started_at).label("working_seconds")
    return select(*changes.c, datasets.c.name.label("dataset"), datasets.c.project, seconds).join_from(
        changes, datasets
    )


def _change(row: Row[Any]) -> Change:
    return Change(
        id=row.id,
        project=row.project,
        dataset=row.dataset,
        kind=row.kind,
        request=row.request,
        state=row.state,
        total_bytes=row.total_bytes,
        done_bytes=row.done_bytes,
        generation=row.generation,
        version_id=row.version_id,
        is_new=row.is_new,
        report=row.report,
        problem=row.problem,
        created_at=row.created_at,
        ended_at=row.ended_at,
        working_seconds=None if row.working_seconds is None else float(row.working_seconds),
    )
