"""The registry's size in figures."""

from __future__ import annotations

from sqlalchemy import func, select

from kargah.db.engine import Connection
from registry.blobs.tables import blobs
from registry.models.tables import models, versions


def volume(connection: Connection) -> tuple[float, float, float, float]:
    """Models, their versions, blobs, and the blobs' bytes."""
    counted = [select(func.count()).select_from(table).scalar_subquery() for table in (models, versions)]
    sizes = select(func.count(), func.coalesce(func.sum(blobs.c.size_bytes), 0)).subquery()
    row = connection.execute(select(*counted, *sizes.c)).one()
    return float(row[0]), float(row[1]), float(row[2]), float(row[3])
