"""All SQL of uploads in parts. Functions take an open connection; only the unit of work commits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, insert, or_, select, update

from dataset_svc.datasets.uploads import Request
from dataset_svc.resumable.tables import uploads
from dataset_svc.resumable.values import NewUpload, Upload
from kargah.domain.scope import project_of_new

LIVE = ("open", "checking")
_AT_ONCE = 100


def add(conn: Connection, new: NewUpload) -> Upload:
    """Record an upload that may take parts."""
    values = {
        "id": new.id,
        "size_bytes": new.size_bytes,
        "part_bytes": new.part_bytes,
        "sha256": new.sha256,
        "modified": new.modified,
        "object_key": new.object_key,
        "multipart_id": new.multipart_id,
        **_request_values(new.request),
    }
    return _upload(conn.execute(insert(uploads).values(**values).returning(uploads)).one())


def find_same(conn: Connection, new: NewUpload) -> Upload | None:
    """The newest upload of the same file to the same name that did not fail. The same file: size, and sha256 or time
    of change."""
    known = [column == value for column, value in _fingerprint(new) if value is not None]
    if not known:
        return None
    wanted = and_(
        uploads.c.project == project_of_new(),
        uploads.c.state.in_((*LIVE, "done")),
        uploads.c.size_bytes == new.size_bytes,
        or_(*known),
        *(uploads.c[name].is_not_distinct_from(value) for name, value in _request_values(new.request).items()),
    )
    row = conn.execute(select(uploads).where(wanted).order_by(uploads.c.created_at.desc()).limit(1)).one_or_none()
    return None if row is None else _upload(row)


def get(conn: Connection, upload_id: str) -> Upload | None:
    """The upload, unless it is unknown or about to be removed."""
    known = select(uploads).where(uploads.c.id == upload_id, uploads.c.state != "aborted")
    row = conn.execute(known).one_or_none()
    return None if row is None else _upload(row)


def touch(conn: Connection, upload_id: str) -> None:
    """Somebody still sends it."""
    conn.execute(update(uploads).where(uploads.c.id == upload_id).values(touched_at=func.now()))


def start_checking(conn: Connection, upload_id: str, sha256: str | None) -> bool:
    """From open to checking; False when it is not open (any more)."""
    known = and_(uploads.c.id == upload_id, uploads.c.state == "open")
    values = {"state": "checking", "sha256": func.coalesce(sha256, uploads.c.sha256), "touched_at": func.now()}
    return conn.execute(update(uploads).where(known).values(**values)).rowcount == 1


def claim(conn: Connection, lease: timedelta) -> Upload | None:
    """An upload to be checked that nobody holds, now held by the caller under a new generation."""
    free = or_(uploads.c.lease_until.is_(None), uploads.c.lease_until < func.now())
    oldest = select(uploads.c.id).where(uploads.c.state == "checking", free).order_by(uploads.c.touched_at).limit(1)
    statement = update(uploads).where(uploads.c.id.in_(oldest.with_for_update(skip_locked=True)))
    values = {"generation": uploads.c.generation + 1, "lease_until": func.now() + lease, "checked_bytes": 0}
    row = conn.execute(statement.values(**values).returning(uploads)).one_or_none()
    return None if row is None else _upload(row)


def renew(conn: Connection, held: Upload, lease: timedelta, checked_bytes: int) -> bool:
    """Hold it longer and tell how far it is; False when it is somebody else's by now."""
    return _write(conn, held, lease_until=func.now() + lease, checked_bytes=checked_bytes)


def let_go(conn: Connection, held: Upload, pause: timedelta) -> bool:
    """Let it be claimed again after `pause`."""
    return _write(conn, held, lease_until=func.now() + pause)


def finish(conn: Connection, held: Upload, version_id: str, is_new: bool) -> bool:
    """It is that version now; False when it is somebody else's by now."""
    values = {"state": "done", "version_id": version_id, "is_new": is_new, "checked_bytes": held.size_bytes}
    return _write(conn, held, touched_at=func.now(), **values)


def fail(conn: Connection, held: Upload, problem: dict[str, Any]) -> bool:
    """It cannot become a version, and why; False when it is somebody else's by now."""
    return _write(conn, held, touched_at=func.now(), state="failed", problem=problem)


def _write(conn: Connection, held: Upload, **values: Any) -> bool:
    fence = and_(uploads.c.id == held.id, uploads.c.generation == held.generation, uploads.c.state == "checking")
    return conn.execute(update(uploads).where(fence).values(**values)).rowcount == 1


def give_up(conn: Connection, upload_id: str) -> Upload | None:
    """Mark it as about to be removed: nobody can go on with it. None when it is unknown."""
    statement = update(uploads).where(uploads.c.id == upload_id).values(state="aborted").returning(uploads)
    row = conn.execute(statement).one_or_none()
    return None if row is None else _upload(row)


def give_up_stale(conn: Connection, silent: timedelta, kept: timedelta) -> list[Upload]:
    """Mark what nobody has sent parts of for `silent`, and what ended `kept` ago; a hundred at most, and with them
    what was marked before and is still there."""
    stale = or_(
        and_(uploads.c.state == "open", uploads.c.touched_at < func.now() - silent),
        and_(uploads.c.state.in_(("done", "failed")), uploads.c.touched_at < func.now() - kept),
        uploads.c.state == "aborted",
    )
    chosen = select(uploads.c.id).where(stale).limit(_AT_ONCE).with_for_update(skip_locked=True)
    statement = update(uploads).where(uploads.c.id.in_(chosen)).values(state="aborted").returning(uploads)
    return [_upload(row) for row in conn.execute(statement)]


def remove(conn: Connection, upload_id: str) -> None:
    """Forget an upload that was given up."""
    conn.execute(delete(uploads).where(uploads.c.id == upload_id, uploads.c.state == "aborted"))


def live(conn: Connection) -> Sequence[tuple[str, str]]:
    """Object key and multipart id of every upload that is still to become a version."""
    found = conn.execute(select(uploads.c.object_key, uploads.c.multipart_id).where(uploads.c.state.in_(LIVE)))
    return [(row.object_key, row.multipart_id) for row in found]


def _fingerprint(new: NewUpload) -> tuple[tuple[Any, str | None], ...]:
    return (uploads.c.sha256, new.sha256), (uploads.c.modified, new.modified)


def _request_values(request: Request) -> dict[str, str | None]:
    return {
        "name": request.name,
        "filename": request.filename,
        "format": request.format,
        "mapping": request.mapping,
        "origin": request.origin,
    }


def _upload(row: Row[Any]) -> Upload:
    return Upload(
        id=row.id,
        project=row.project,
        request=Request(row.name, row.filename, row.format, row.mapping, row.origin),
        size_bytes=row.size_bytes,
        part_bytes=row.part_bytes,
        sha256=row.sha256,
        object_key=row.object_key,
        multipart_id=row.multipart_id,
        state=row.state,
        checked_bytes=row.checked_bytes,
        generation=row.generation,
        version_id=row.version_id,
        is_new=row.is_new,
        problem=row.problem,
        created_at=row.created_at,
        touched_at=row.touched_at,
    )
