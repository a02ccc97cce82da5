"""Rows of blobs: who was wanted when, and who is on the way out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert

from kargah.db.engine import Connection, Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.ports.object_store import ObjectStat
from registry.blobs import possession_repository
from registry.blobs.possession_repository import BLOB
from registry.blobs.tables import blobs
from registry.models.tables import version_files
from registry.repos.tables import commit_files

_SWEEP = 500
_ROWS = 1000


@dataclass(frozen=True, slots=True)
class BlobRow:
    """A blob to be noted."""

    sha256: str
    size_bytes: int


def touch(connection: Connection, rows: Collection[BlobRow]) -> list[str]:
    """Note that these blobs are wanted now; the sha256 of those that are being removed at this moment."""
    if not rows:
        return []
    # In one order everywhere, so that two callers wait for each other rather than deadlock.
    values = [{"sha256": row.sha256, "size_bytes": row.size_bytes} for row in sorted(rows, key=lambda row: row.sha256)]
    upsert = (
        insert(blobs)
        .values(values)
        .on_conflict_do_update(index_elements=[blobs.c.sha256], set_={"touched_at": func.now()})
        .returning(blobs.c.sha256, blobs.c.collecting_since)
    )
    return [row.sha256 for row in connection.execute(upsert) if row.collecting_since is not None]


def touch_known(connection: Connection, sha256: str) -> bool | None:
    """Note that a blob was asked for; whether it is being removed at this moment, None if there is no row of it."""
    statement = (
        update(blobs).where(blobs.c.sha256 == sha256).values(touched_at=func.now()).returning(blobs.c.collecting_since)
    )
    row = connection.execute(statement).first()
    return None if row is None else row.collecting_since is not None


def note_strays(connection: Connection, found: Mapping[str, ObjectStat]) -> None:
    """Rows for those objects, by sha256, that have none: as old as the objects are."""
    rows = [{"sha256": sha256, "size_bytes": one.size, "touched_at": one.modified_at} for sha256, one in found.items()]
    for first in range(0, len(rows), _ROWS):
        connection.execute(insert(blobs).values(rows[first : first + _ROWS]).on_conflict_do_nothing())


def touch_of_version(connection: Connection, version_id: str) -> None:
    """The version goes, and whoever still reads its files gets the whole grace to finish."""
    owned = select(version_files.c.sha256).where(version_files.c.version_id == version_id)
    connection.execute(update(blobs).where(blobs.c.sha256.in_(owned)).values(touched_at=func.now()))


def begin_collecting(connection: Connection, grace: timedelta) -> list[str]:
    """Mark blobs that nothing names and nobody wanted for `grace`; also those marked by a sweep that crashed."""
    named = exists().where(version_files.c.sha256 == blobs.c.sha256)
    kept = exists().where(commit_files.c.sha256 == blobs.c.sha256)
    found = (
        select(blobs.c.sha256)
        .where(blobs.c.touched_at < func.now() - grace, ~named, ~kept)
        .limit(_SWEEP)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(blobs)
        .where(blobs.c.sha256.in_(found.scalar_subquery()))
        .values(collecting_since=func.now())
        .returning(blobs.c.sha256)
    )
    return list(connection.execute(statement).scalars())


def end_collecting(connection: Connection, collected: Sequence[str]) -> None:
    """Their objects are gone; now their rows."""
    statement = delete(blobs).where(blobs.c.sha256.in_(collected), blobs.c.collecting_since.is_not(None))
    gone = list(connection.execute(statement.returning(blobs.c.sha256)).scalars())
    possession_repository.forget(connection, BLOB, gone)


def check(engine: Engine) -> None:
    """Raises unless the database answers and has this schema (readiness)."""
    with UnitOfWork(engine) as tx:
        tx.connection.execute(select(blobs.c.sha256).limit(1))
