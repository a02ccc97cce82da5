"""Rows of blobs: who was wanted when, and who is on the way out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from kargah.db.engine import Connection, Engine
from kargah.db.unit_of_work import UnitOfWork
from registry.blobs.tables import blobs
from registry.models.tables import version_files
from registry.repos.tables import commit_files

_SWEEP = 500


@dataclass(frozen=True, slots=True)
class BlobRow:
    """A blob to be noted. `weights`: its content is a safetensors file, which no dataset can share."""

    sha256: str
    size_bytes: int
    weights: bool


def touch(connection: Connection, rows: Collection[BlobRow]) -> list[str]:
    """Note that these blobs are wanted now; the sha256 of those that are being removed at this moment."""
    if not rows:
        return []
    # In one order everywhere, so that two callers wait for each other rather than deadlock.
    values = [
        {"sha256": row.sha256, "size_bytes": row.size_bytes, "weights": row.weights}
        for row in sorted(rows, key=lambda row: row.sha256)
    ]
    statement = insert(blobs).values(values)
    upsert = statement.on_conflict_do_update(
        index_elements=[blobs.c.sha256],
        set_={"touched_at": func.now(), "weights": or_(blobs.c.weights, statement.excluded.weights)},
    ).returning(blobs.c.sha256, blobs.c.collecting_since)
    return [row.sha256 for row in connection.execute(upsert) if row.collecting_since is not None]


def touch_known(connection: Connection, sha256: str) -> bool:
    """Note that a blob was asked for, if there is a row of it; whether it is being removed at this moment."""
    statement = (
        update(blobs).where(blobs.c.sha256 == sha256).values(touched_at=func.now()).returning(blobs.c.collecting_since)
    )
    row = connection.execute(statement).first()
    return row is not None and row.collecting_since is not None


def touch_of_version(connection: Connection, version_id: str) -> None:
    """The version goes, and whoever still reads its files gets the whole grace to finish."""
    owned = select(version_files.c.sha256).where(version_files.c.version_id == version_id)
    connection.execute(update(blobs).where(blobs.c.sha256.in_(owned)).values(touched_at=func.now()))


def begin_collecting(connection: Connection, grace: timedelta) -> list[str]:
    """Mark weights that nothing names and nobody wanted for `grace`; also those marked by a sweep that crashed."""
    named = exists().where(version_files.c.sha256 == blobs.c.sha256)
    kept = exists().where(commit_files.c.sha256 == blobs.c.sha256)
    found = (
        select(blobs.c.sha256)
        .where(blobs.c.weights, blobs.c.touched_at < func.now() - grace, ~named, ~kept)
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
    connection.execute(statement)


def check(engine: Engine) -> None:
    """Raises unless the database answers and has this schema (readiness)."""
    with UnitOfWork(engine) as tx:
        tx.connection.execute(select(blobs.c.sha256).limit(1))
