"""Reading and writing where versions come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import CTE, Row, Select, literal, select
from sqlalchemy.dialects.postgresql import insert

from kargah.contracts.models import LineageNode
from kargah.db.engine import Connection
from registry.lineage.tables import parents
from registry.models.tables import models, versions

_DEEPEST = 50
_MOST = 1000


def note_parents(connection: Connection, version_id: str, lineage: Mapping[str, Any]) -> None:
    """Keep what a new version's lineage says of the versions it was made from."""
    values = [
        {"version_id": version_id, "relation": relation, "parent_id": parent}
        for relation, parent in _named(lineage)
        if parent != version_id
    ]
    if values:
        connection.execute(insert(parents).values(values).on_conflict_do_nothing())


def ancestors(connection: Connection, version_id: str) -> list[LineageNode]:
    """Nearest first, those that were deleted too."""
    found = _walk(version_id, up=True)
    return _nodes(connection, found, found.c.parent_id, found.c.version_id)


def descendants(connection: Connection, version_id: str) -> list[LineageNode]:
    """Nearest first."""
    found = _walk(version_id, up=False)
    return _nodes(connection, found, found.c.version_id, found.c.parent_id)


def _named(lineage: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    exported = lineage.get("exported_from")
    given = {
        "base": lineage.get("base_version_id", lineage.get("baseVersionId")),
        "parent": lineage.get("parent_version_id"),
        "exported_from": exported.get("version_id") if isinstance(exported, Mapping) else None,
    }
    yield from ((relation, parent) for relation, parent in given.items() if isinstance(parent, str) and parent)


def _walk(version_id: str, *, up: bool) -> CTE:
    """Each edge on the way with its distance. Versions are made after their parents, so there are no circles; the
    limit is for histories that were written by hand."""
    here, there = (parents.c.version_id, "parent_id") if up else (parents.c.parent_id, "version_id")
    columns = (parents.c.version_id, parents.c.relation, parents.c.parent_id)
    first = select(*columns, literal(1).label("depth")).where(here == version_id).cte("walked", recursive=True)
    further = select(*columns, first.c.depth + 1).where(here == first.c[there], first.c.depth < _DEEPEST)
    return first.union(further)


def _nodes(connection: Connection, found: CTE, node: Any, of: Any) -> list[LineageNode]:
    query: Select[Any] = (
        select(found.c.relation, found.c.depth, node.label("node"), of.label("of"), versions, models.c.name)
        .select_from(found)
        .outerjoin(versions, versions.c.id == node)
        .outerjoin(models, models.c.id == versions.c.model_id)
        .order_by(found.c.depth, versions.c.created_at, node, found.c.relation != "exported_from", found.c.relation)
        .limit(_MOST)
    )
    # What was exported is its base or its parent besides: it is told once.
    seen: dict[tuple[str, str], LineageNode] = {}
    for row in connection.execute(query):
        seen.setdefault((row.node, row.of), _node(row))
    return list(seen.values())


def _node(row: Row[Any]) -> LineageNode:
    if row.id is None:
        return LineageNode(relation=row.relation, of=row.of, depth=row.depth, id=row.node, present=False)
    dataset = row.lineage.get("dataset")
    return LineageNode(
        relation=row.relation,
        of=row.of,
        depth=row.depth,
        id=row.node,
        model=row.name,
        version=row.number,
        kind=row.facts.get("kind"),
        source=row.source,
        dataset=f"{dataset}@{row.lineage.get('dataset_version')}" if dataset else None,
        job_id=row.lineage.get("job_id"),
        recipe=row.lineage.get("recipe"),
        created_at=row.created_at,
    )
