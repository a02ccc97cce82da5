"""SQL of the files that splits have. Functions take an open connection; only the unit of work commits."""

from __future__ import annotations

from sqlalchemy import Connection, cast, func, select, update
from sqlalchemy.dialects.postgresql import JSONB

from dataset_svc.datasets.tables import versions
from kargah.contracts.datasets import VersionSplits


def without_files(conn: Connection) -> list[tuple[str, str, VersionSplits]]:
    """Versions with splits whose files were never made, oldest first: id, sha256 of the rows, the splits."""
    missing = versions.c.splits_sha256.is_not(None), versions.c.split_files.is_(None)
    query = select(versions.c.id, versions.c.sha256, versions.c.splits).where(*missing)
    rows = conn.execute(query.order_by(versions.c.created_at))
    return [(row.id, row.sha256, VersionSplits.model_validate(row.splits)) for row in rows]


def set_files(conn: Connection, version_id: str, files: dict[str, str]) -> bool:
    """Note the sha256 of each split's file; False when the version is gone."""
    described = versions.c.splits.op("||", return_type=JSONB)(func.jsonb_build_object("files", cast(files, JSONB)))
    statement = update(versions).where(versions.c.id == version_id)
    return conn.execute(statement.values(split_files=sorted(files.values()), splits=described)).rowcount == 1
