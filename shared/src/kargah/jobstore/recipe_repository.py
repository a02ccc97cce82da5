"""Recipes as workers publish them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select, text
from sqlalchemy.dialects.postgresql import insert

from kargah.contracts.jobs import RecipeView
from kargah.jobstore.tables import recipes

_MARKS = text("SELECT name, xmin::text AS mark FROM recipes")


def publish(conn: Connection, views: Sequence[RecipeView]) -> None:
    """Tell what this worker can train with; a recipe of the same name is replaced."""
    for view in views:
        statement = insert(recipes).values(name=view.name, view=view.model_dump(mode="json", by_alias=True))
        changed = {"view": statement.excluded.view, "published_at": func.now()}
        conn.execute(statement.on_conflict_do_update(index_elements=[recipes.c.name], set_=changed))


def marks(conn: Connection) -> frozenset[tuple[str, str]]:
    """Something that is another whenever a recipe was published: each row's name and the transaction that wrote it."""
    return frozenset((row.name, row.mark) for row in conn.execute(_MARKS))


def list_recipes(conn: Connection) -> list[RecipeView]:
    """All recipes, in the order of the automatic choice."""
    rows = conn.execute(select(recipes.c.view)).scalars()
    return sorted((RecipeView.model_validate(row) for row in rows), key=lambda view: (view.rank, view.name))
