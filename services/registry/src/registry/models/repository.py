"""Reading and writing models. Every function takes a connection; whoever opened it commits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, delete, exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from kargah.contracts.models import ModelFacts, ModelFile, ModelVersionView, ModelView
from kargah.db.engine import Connection
from kargah.domain.ids import new_id
from kargah.domain.names import LATEST
from kargah.domain.scope import project_of_new
from registry.labels.repository import aliases_of, tags_of
from registry.labels.tables import aliases
from registry.models.tables import models, version_files, versions

_VERSION = select(
    versions, models.c.name.label("model"), models.c.created_at.label("model_created_at"), models.c.latest_id
).join_from(versions, models, versions.c.model_id == models.c.id)


def find_version(connection: Connection, name: str, version: int | str | None = None) -> ModelVersionView | None:
    """A version of the model `name`: by its number, by an alias, or the latest."""
    return _one_version(connection, _VERSION.where(named(name), _is_version(version)))


def version_id(connection: Connection, name: str, version: int | str | None = None) -> str | None:
    """The id of what `find_version` finds."""
    joined = select(versions.c.id).join_from(versions, models, versions.c.model_id == models.c.id)
    return connection.execute(joined.where(named(name), _is_version(version))).scalar_one_or_none()


def find_version_by_id(connection: Connection, version_id: str) -> ModelVersionView | None:
    """The version with that id."""
    return _one_version(connection, _VERSION.where(versions.c.id == version_id))


def find_version_by_key(connection: Connection, name: str, key: str) -> ModelVersionView | None:
    """The version that was committed to the model `name` with that idempotency key."""
    return _one_version(connection, _VERSION.where(named(name), versions.c.idempotency_key == key))


def base_of(connection: Connection, version_id: str) -> ModelVersionView | None:
    """The version that an adapter was trained on."""
    base = select(versions.c.base_id).where(versions.c.id == version_id).scalar_subquery()
    return _one_version(connection, _VERSION.where(versions.c.id == base))


def find_model(connection: Connection, name: str, version: int | str | None = None) -> ModelView | None:
    """The model, with the version asked for (the latest without one) as its `latest`."""
    found = find_version(connection, name, version)
    if found is None:
        return None
    row = connection.execute(select(models).where(named(name))).one()
    return ModelView(id=row.id, name=row.name, created_at=row.created_at, latest=found)


def list_models(
    connection: Connection, *, search: str | None, kind: str | None, before: str | None, limit: int
) -> tuple[list[ModelView], int]:
    """Up to `limit` models with ids before `before`, newest first, and how many match in all."""
    latest = models.join(versions, models.c.latest_id == versions.c.id)
    matching = select(models.c.id).select_from(latest)
    if search:
        matching = matching.where(models.c.name.icontains(search, autoescape=True))
    if kind:
        matching = matching.where(versions.c.facts["kind"].astext == kind)
    total = connection.execute(select(func.count()).select_from(matching.subquery())).scalar_one()
    if before:
        matching = matching.where(models.c.id < before)
    ids = matching.order_by(models.c.id.desc()).limit(limit).scalar_subquery()
    rows = connection.execute(
        _VERSION.where(models.c.id.in_(ids), models.c.latest_id == versions.c.id).order_by(models.c.id.desc())
    ).all()
    views = _views(connection, rows)
    found = [
        ModelView(id=row.model_id, name=row.model, created_at=row.model_created_at, latest=view)
        for row, view in zip(rows, views, strict=True)
    ]
    return found, total


def list_versions(
    connection: Connection, name: str, *, before: int | None, limit: int
) -> tuple[list[ModelVersionView], int]:
    """Up to `limit` versions with numbers below `before`, newest first, and how many there are."""
    query = _VERSION.where(named(name))
    total = connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    if before is not None:
        query = query.where(versions.c.number < before)
    rows = connection.execute(query.order_by(versions.c.number.desc()).limit(limit)).all()
    return _views(connection, rows), total


def lock_model(connection: Connection, name: str) -> str:
    """The id of the model `name`, made if need be, and locked until the transaction ends."""
    fresh = upsert(models).values(id=new_id("model"), project=project_of_new(), name=name).on_conflict_do_nothing()
    connection.execute(fresh)
    model_id: str = connection.execute(select(models.c.id).where(named(name)).with_for_update()).scalar_one()
    return model_id


def insert_version(
    connection: Connection,
    model_id: str,
    *,
    files: Sequence[ModelFile],
    facts: ModelFacts,
    source: str,
    lineage: dict[str, Any],
    idempotency_key: str | None,
    base_id: str | None,
) -> str:
    """Add the next version to a model that `lock_model` locked; its id."""
    version_id = new_id("mv")
    number = connection.execute(
        update(models)
        .where(models.c.id == model_id)
        .values(version_count=models.c.version_count + 1, latest_id=version_id)
        .returning(models.c.version_count)
    ).scalar_one()
    values = {
        "id": version_id,
        "model_id": model_id,
        "number": number,
        "facts": facts.model_dump(mode="json"),
        "size_bytes": sum(file.size_bytes for file in files),
        "source": source,
        "lineage": lineage,
        "idempotency_key": idempotency_key,
        "base_id": base_id,
    }
    connection.execute(insert(versions).values(values))
    connection.execute(insert(version_files), [{"version_id": version_id, **file.model_dump()} for file in files])
    return version_id


def dependants(connection: Connection, version_ids: Sequence[str]) -> list[str]:
    """`name@number` of versions whose base is among `version_ids` and that are not among them themselves."""
    query = _VERSION.where(versions.c.base_id.in_(version_ids), versions.c.id.not_in(version_ids))
    rows = connection.execute(query.order_by(models.c.name, versions.c.number).limit(20))
    return [f"{row.model}@{row.number}" for row in rows]


def version_ids(connection: Connection, model_id: str) -> list[str]:
    """The ids of all versions of a model, newest first: bases come after what was trained on them."""
    query = select(versions.c.id).where(versions.c.model_id == model_id).order_by(versions.c.number.desc())
    return list(connection.execute(query).scalars())


def hold_version(connection: Connection, version_id: str) -> bool:
    """Keep a version from being deleted until the transaction ends; whether it is still there."""
    query = select(versions.c.id).where(versions.c.id == version_id).with_for_update(read=True, key_share=True)
    return connection.execute(query).first() is not None


def lock_versions(connection: Connection, version_ids: Sequence[str]) -> None:
    """Wait for whoever holds one of these versions, and let nobody hold them until the transaction ends."""
    query = select(versions.c.id).where(versions.c.id.in_(version_ids)).order_by(versions.c.id).with_for_update()
    connection.execute(query)


def delete_version(connection: Connection, model_id: str, version_id: str) -> None:
    """Remove a version; the newest of the others is then the latest, and without any the model goes too."""
    others = select(versions.c.id).where(versions.c.model_id == model_id, versions.c.id != version_id)
    newest = others.order_by(versions.c.number.desc()).limit(1)
    latest = connection.execute(newest).scalar_one_or_none()
    connection.execute(update(models).where(models.c.id == model_id).values(latest_id=latest))
    connection.execute(delete(versions).where(versions.c.id == version_id))
    if latest is None:
        connection.execute(delete(models).where(models.c.id == model_id))


def rename_model(connection: Connection, name: str, other: str) -> None:
    """Give the model `name`, if there is one, another name that nobody has."""
    connection.execute(update(models).where(named(name)).values(name=other))


def find_model_id(connection: Connection, name: str) -> str | None:
    """The id of the model `name`, locked until the transaction ends."""
    query = select(models.c.id).where(named(name)).with_for_update()
    return connection.execute(query).scalar_one_or_none()


def named(name: str) -> ColumnElement[bool]:
    """That a model is the one of that name. Names are a project's own; where nobody logs in, there is one project."""
    return and_(models.c.project == project_of_new(), models.c.name == name)


def _is_version(version: int | str | None) -> ColumnElement[bool]:
    if version is None or version == LATEST:
        return models.c.latest_id == versions.c.id
    if isinstance(version, int) or version.isdigit():
        return versions.c.number == int(version)
    named = exists().where(aliases.c.version_id == versions.c.id, aliases.c.alias == version)
    return named


def _one_version(connection: Connection, query: Select[Any]) -> ModelVersionView | None:
    return next(iter(_views(connection, connection.execute(query).all())), None)


def _views(connection: Connection, rows: Sequence[Row[Any]]) -> list[ModelVersionView]:
    ids = [row.id for row in rows]
    files, pointing, tags = _files_of(connection, ids), aliases_of(connection, ids), tags_of(connection, ids)
    return [
        ModelVersionView(
            id=row.id,
            model=row.model,
            version=row.number,
            files=files[row.id],
            facts=ModelFacts.model_validate(row.facts),
            size_bytes=row.size_bytes,
            source=row.source,
            lineage=row.lineage,
            aliases=pointing.get(row.id, []),
            tags=tags.get(row.id, []),
            created_at=row.created_at,
        )
        for row in rows
    ]


def _files_of(connection: Connection, ids: Iterable[str]) -> dict[str, list[ModelFile]]:
    found: dict[str, list[ModelFile]] = {version_id: [] for version_id in ids}
    query = select(version_files).where(version_files.c.version_id.in_(found)).order_by(version_files.c.path)
    for row in connection.execute(query) if found else ():
        file = ModelFile(path=row.path, size_bytes=row.size_bytes, sha256=row.sha256)
        found[row.version_id].append(file)
    return found
