"""All SQL of the dataset service. Functions take an open connection; only the unit of work commits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    cast,
    func,
    insert,
    null,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from dataset_svc.checks.row_index import RowIndex
from dataset_svc.datasets.tables import datasets, versions
from dataset_svc.datasets.values import ListPosition, NewVersion
from kargah.contracts.datasets import DatasetVersionView, DatasetView
from kargah.domain.ids import new_id
from kargah.domain.scope import project_of_new

_LOCK_CLASS = 0x4473  # the first of two numbers of the advisory lock: "Ds"
_COUNTED = ("rows", "size_bytes")
_others = versions.alias("others")
_newest = select(func.max(_others.c.number)).where(_others.c.dataset_id == datasets.c.id).correlate(datasets)
_IS_LATEST = versions.c.number == _newest.scalar_subquery()
_VERSION_COLUMNS = (
    datasets.c.name,
    *(
        column
        for column in versions.c
        if column.name not in ("index_rows", "index_offsets", "dataset_id", "split_files")
    ),
)


def ping(conn: Connection) -> None:
    """Fails unless the schema is there."""
    conn.execute(select(datasets.c.id).limit(1))


def volume(conn: Connection) -> tuple[float, float, float, float]:
    """Datasets, their versions, and the rows and bytes of these, each content once."""
    once = select(versions.c.stats).distinct(versions.c.sha256).order_by(versions.c.sha256).subquery()
    rows, size = (func.coalesce(func.sum(cast(once.c.stats[name].astext, BigInteger)), 0) for name in _COUNTED)
    counted = [select(func.count()).select_from(table).scalar_subquery() for table in (datasets, versions)]
    row = conn.execute(select(*counted, rows, size)).one()
    return float(row[0]), float(row[1]), float(row[2]), float(row[3])


def lock_objects(conn: Connection, digests: Sequence[str]) -> None:
    """Until the transaction ends, nobody else records or removes these objects; in sorted order, so no deadlock."""
    for digest in sorted(set(digests)):
        statement = text("SELECT pg_advisory_xact_lock(:lock_class, hashtext(:digest))")
        conn.execute(statement, {"lock_class": _LOCK_CLASS, "digest": digest})


def is_referred_to(conn: Connection, digest: str) -> bool:
    """Whether any version that can be seen needs the object of that sha256."""
    columns = (versions.c.sha256, versions.c.source_sha256, versions.c.splits_sha256)
    places = *(column == digest for column in columns), versions.c.split_files.contains([digest])
    needed = select(versions.c.id).where(or_(*places))
    return conn.execute(needed.limit(1)).first() is not None


def insert_version(conn: Connection, new: NewVersion) -> tuple[DatasetVersionView, bool]:
    """Record the version; the dataset is made if there is none. The same rows again: the version that has them, and
    False."""
    dataset_id = _dataset_id(conn, new.name)
    values = _values(new)
    same = and_(
        versions.c.dataset_id == dataset_id,
        versions.c.sha256 == new.sha256,
        versions.c.format == new.format,
        versions.c.splits_sha256.is_not_distinct_from(values["splits_sha256"]),
    )
    if (known := conn.execute(_select_versions().where(same)).one_or_none()) is not None:
        return _version_view(known), False
    number = conn.execute(
        update(datasets)
        .where(datasets.c.id == dataset_id)
        .values(version_count=datasets.c.version_count + 1)
        .returning(datasets.c.version_count)
    ).scalar_one()
    version_id = new_id("dsv")
    conn.execute(insert(versions).values(id=version_id, dataset_id=dataset_id, number=number, **values))
    return _version_view(conn.execute(_select_versions().where(versions.c.id == version_id)).one()), True


def _dataset_id(conn: Connection, name: str) -> str:
    """The dataset's id; its row stays locked, so that numbers are given one after the other."""
    statement = upsert(datasets).values(id=new_id("ds"), project=project_of_new(), name=name)
    statement = statement.on_conflict_do_update(index_elements=["project", "name"], set_={"name": name})
    found: str = conn.execute(statement.returning(datasets.c.id)).scalar_one()
    return found


def _values(new: NewVersion) -> dict[str, Any]:
    return {
        "format": new.format,
        "sha256": new.sha256,
        "source_sha256": new.source_sha256,
        "source_filename": new.source_filename,
        "stats": new.stats.model_dump(mode="json"),
        "splits": new.splits.model_dump(mode="json") if new.splits else null(),
        "splits_sha256": new.splits.sha256 if new.splits else None,
        "split_files": sorted(new.splits.files.values()) if new.splits else None,
        "warnings": [warning.model_dump(mode="json") for warning in new.warnings],
        "lineage": None if new.lineage is None else new.lineage.model_dump(mode="json"),
        "index_rows": new.index.rows,
        "index_offsets": new.index.offsets,
    }


def get_dataset(conn: Connection, name: str, number: int | None = None) -> DatasetView | None:
    """A dataset with its latest version, or with version `number` in its place."""
    row = conn.execute(_select_datasets(number).where(named(name))).one_or_none()
    return None if row is None else _dataset_view(row)


def version_id(conn: Connection, name: str, number: int | None = None) -> str | None:
    """The id of the version that `get_dataset` gives."""
    wanted = _IS_LATEST if number is None else versions.c.number == number
    statement = select(versions.c.id).join_from(versions, datasets).where(wanted, named(name))
    return conn.execute(statement).scalar_one_or_none()


def get_index(conn: Connection, version_id: str) -> RowIndex | None:
    """The row index of a version; None when that is gone."""
    query = select(versions.c.index_rows, versions.c.index_offsets).where(versions.c.id == version_id)
    row = conn.execute(query).one_or_none()
    return None if row is None else RowIndex(list(row.index_rows), list(row.index_offsets))


def get_version(conn: Connection, version_id: str) -> DatasetVersionView | None:
    """The version of that id."""
    row = conn.execute(_select_versions().where(versions.c.id == version_id)).one_or_none()
    return None if row is None else _version_view(row)


def list_datasets(
    conn: Connection, search: str | None, after: ListPosition | None, limit: int
) -> tuple[list[DatasetView], int]:
    """At most `limit` datasets behind `after`, newest first, with `search` in their name; and how many match."""
    matches = datasets.c.name.icontains(search, autoescape=True) if search else text("true")
    total = conn.execute(select(func.count()).select_from(datasets).where(matches)).scalar_one()
    query = _select_datasets(None).where(matches)
    if after is not None:
        query = query.where(tuple_(datasets.c.created_at, datasets.c.id) < (after.created_at, after.id))
    query = query.order_by(datasets.c.created_at.desc(), datasets.c.id.desc()).limit(limit)
    return [_dataset_view(row) for row in conn.execute(query)], total


def list_versions(conn: Connection, name: str, below: int | None, limit: int) -> tuple[list[DatasetVersionView], int]:
    """At most `limit` versions with a number below `below`, newest first; and how many there are."""
    counted = select(func.count()).select_from(versions.join(datasets)).where(named(name))
    total = conn.execute(counted).scalar_one()
    query = _select_versions().where(named(name))
    if below is not None:
        query = query.where(versions.c.number < below)
    query = query.order_by(versions.c.number.desc()).limit(limit)
    return [_version_view(row) for row in conn.execute(query)], total


def named(name: str) -> ColumnElement[bool]:
    """That a dataset is the one of that name. Names are a project's own; where nobody logs in, there is one project."""
    return and_(datasets.c.project == project_of_new(), datasets.c.name == name)


def _select_versions() -> Select[Any]:
    return select(*_VERSION_COLUMNS).join_from(versions, datasets)


def _select_datasets(number: int | None) -> Select[Any]:
    wanted = _IS_LATEST if number is None else versions.c.number == number
    own = (datasets.c.id.label("own_id"), datasets.c.created_at.label("own_created_at"))
    return select(*own, *_VERSION_COLUMNS).join_from(versions, datasets).where(wanted)


def _dataset_view(row: Row[Any]) -> DatasetView:
    return DatasetView(id=row.own_id, name=row.name, created_at=row.own_created_at, latest=_version_view(row))


def _version_view(row: Row[Any]) -> DatasetVersionView:
    return DatasetVersionView(
        id=row.id,
        dataset=row.name,
        version=row.number,
        format=row.format,
        sha256=row.sha256,
        source_filename=row.source_filename,
        source_sha256=row.source_sha256,
        stats=row.stats,
        splits=row.splits,
        warnings=row.warnings,
        lineage=row.lineage,
        created_at=row.created_at,
    )
