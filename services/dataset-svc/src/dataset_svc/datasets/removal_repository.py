"""SQL that removes datasets and single versions. Functions take an open connection; only the unit of work commits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Row, delete, exists, select

from dataset_svc.datasets.repository import named
from dataset_svc.datasets.tables import datasets, versions

_OBJECTS = (versions.c.sha256, versions.c.source_sha256, versions.c.splits_sha256, versions.c.split_files)


def delete_dataset(conn: Connection, name: str) -> list[str] | None:
    """Remove a dataset and its versions; the sha256 of every object it referred to, or None if there is none."""
    dataset_id = _locked(conn, name)
    if dataset_id is None:
        return None
    rows = conn.execute(delete(versions).where(versions.c.dataset_id == dataset_id).returning(*_OBJECTS)).all()
    conn.execute(delete(datasets).where(datasets.c.id == dataset_id))
    return _digests(rows)


def children(conn: Connection, name: str, number: int) -> Sequence[int]:
    """The numbers of the versions that were made from this one; until the transaction ends, no other is made."""
    base = select(versions.c.id).where(versions.c.dataset_id == _locked(conn, name), versions.c.number == number)
    made = versions.c.lineage["version_id"].astext == base.scalar_subquery()
    return conn.execute(select(versions.c.number).where(made).order_by(versions.c.number)).scalars().all()


def delete_version(conn: Connection, name: str, number: int) -> list[str] | None:
    """Remove one version, and the dataset with its last one; as `delete_dataset`. Numbers are never given again."""
    dataset_id = _locked(conn, name)
    gone = delete(versions).where(versions.c.dataset_id == dataset_id, versions.c.number == number)
    rows = conn.execute(gone.returning(*_OBJECTS)).all()
    if not rows:
        return None
    conn.execute(
        delete(datasets).where(datasets.c.id == dataset_id, ~exists().where(versions.c.dataset_id == datasets.c.id))
    )
    return _digests(rows)


def _locked(conn: Connection, name: str) -> str | None:
    return conn.execute(select(datasets.c.id).where(named(name)).with_for_update()).scalar()


def _digests(rows: Iterable[Row[str, str, str | None, list[str] | None]]) -> list[str]:
    found = {digest for row in rows for digest in (*row[:3], *(row[3] or ()))}
    return sorted(digest for digest in found if digest is not None)
