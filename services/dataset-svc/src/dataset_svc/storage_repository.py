"""How many bytes of rows each project keeps, and how many are announced."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import BigInteger, Connection, cast, func, select, union_all

from dataset_svc.datasets.tables import datasets, versions
from dataset_svc.resumable.repository import LIVE
from dataset_svc.resumable.tables import uploads


def used_bytes(conn: Connection) -> Mapping[str, int]:
    """By project: the rows of its versions as stored, each content once, and the files of uploads in parts that have
    not become a version yet."""
    size = cast(versions.c.stats["size_bytes"].astext, BigInteger).label("size")
    once = select(datasets.c.project, versions.c.sha256, size).select_from(versions.join(datasets)).distinct()
    kept = once.subquery()
    coming = select(uploads.c.project, uploads.c.size_bytes.label("size")).where(uploads.c.state.in_(LIVE))
    every = union_all(select(kept.c.project, kept.c.size), coming).subquery()
    query = select(every.c.project, func.sum(every.c.size)).group_by(every.c.project)
    return {row[0]: int(row[1]) for row in conn.execute(query)}
