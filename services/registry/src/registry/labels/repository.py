"""Reading and writing aliases and tags. Every function takes a connection; whoever opened it commits."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Row, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from kargah.contracts.models import AliasView
from kargah.db.engine import Connection
from registry.labels.tables import aliases, version_tags
from registry.models.tables import models, versions

_previous = versions.alias("previous")
_ALIAS = (
    select(aliases, models.c.name.label("model"), versions.c.number, _previous.c.number.label("previous_number"))
    .join_from(aliases, models, aliases.c.model_id == models.c.id)
    .join(versions, aliases.c.version_id == versions.c.id)
    .outerjoin(_previous, aliases.c.previous_id == _previous.c.id)
)


def list_aliases(connection: Connection, model_id: str) -> list[AliasView]:
    """Those of one model, by name."""
    rows = connection.execute(_ALIAS.where(aliases.c.model_id == model_id).order_by(aliases.c.alias))
    return [_view(row) for row in rows]


def find_alias(connection: Connection, model_id: str, alias: str) -> AliasView | None:
    """Where it points."""
    row = connection.execute(_ALIAS.where(aliases.c.model_id == model_id, aliases.c.alias == alias)).first()
    return None if row is None else _view(row)


def move_alias(connection: Connection, model_id: str, alias: str, version_id: str) -> None:
    """Point it to a version of a model that is locked; where it pointed is remembered, unless that is the same one."""
    fresh = insert(aliases).values(model_id=model_id, alias=alias, version_id=version_id)
    moved = fresh.on_conflict_do_update(
        index_elements=[aliases.c.model_id, aliases.c.alias],
        set_={"version_id": version_id, "previous_id": aliases.c.version_id, "moved_at": func.now()},
        where=aliases.c.version_id != version_id,
    )
    connection.execute(moved)


def delete_alias(connection: Connection, model_id: str, alias: str) -> bool:
    """Whether there was one."""
    statement = delete(aliases).where(aliases.c.model_id == model_id, aliases.c.alias == alias)
    return connection.execute(statement).rowcount > 0


def aliases_of(connection: Connection, version_ids: Collection[str]) -> dict[str, list[str]]:
    """The aliases that point to each of these versions, by name."""
    query = select(aliases.c.version_id, aliases.c.alias).where(aliases.c.version_id.in_(version_ids))
    return _grouped(connection.execute(query.order_by(aliases.c.alias)) if version_ids else ())


def tags_of(connection: Connection, version_ids: Collection[str]) -> dict[str, list[str]]:
    """The tags on each of these versions, in order."""
    query = select(version_tags).where(version_tags.c.version_id.in_(version_ids))
    return _grouped(connection.execute(query.order_by(version_tags.c.tag)) if version_ids else ())


def change_tags(connection: Connection, version_id: str, add: Sequence[str], remove: Sequence[str]) -> int:
    """Put some on and take others off; how many the version then has."""
    taken = delete(version_tags).where(version_tags.c.version_id == version_id, version_tags.c.tag.in_(remove))
    connection.execute(taken)
    if add:
        values = [{"version_id": version_id, "tag": tag} for tag in sorted(set(add))]
        connection.execute(insert(version_tags).values(values).on_conflict_do_nothing())
    count = select(func.count()).select_from(version_tags).where(version_tags.c.version_id == version_id)
    return connection.execute(count).scalar_one()


def _view(row: Row[Any]) -> AliasView:
    return AliasView(
        alias=row.alias,
        model=row.model,
        version=row.number,
        version_id=row.version_id,
        previous=row.previous_number,
        moved_at=row.moved_at,
    )


def _grouped(rows: Iterable[Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for version_id, label in rows:
        found.setdefault(version_id, []).append(label)
    return found
