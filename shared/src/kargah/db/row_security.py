"""Row-level security for migrations: which rows Postgres shows to a connection, by the setting `kargah.project`.

`*` shows every row, the name of a project its rows, and anything else none. Forced, so that it holds for the service's
own role too, which owns the tables. `docs/projects.md` tells the whole.
"""

from __future__ import annotations

SETTING = "kargah.project"
_CURRENT = f"current_setting('{SETTING}', true)"
_EVERY = f"{_CURRENT} = '*'"
NEW_ROW_PROJECT = f"coalesce(nullif({_CURRENT}, '*'), 'local')"
"""SQL for a column's default: the connection's project, and `local` where it is every."""


def by_column(table: str, column: str = "project") -> list[str]:
    """Statements that leave to a project the rows of `table` that name it."""
    return _protect(table, f"{column} = {_CURRENT}")


def by_parent(table: str, key: str, parent: str, parent_key: str = "id") -> list[str]:
    """Statements that leave to a project the rows of `table` whose parent it can see."""
    seen = f"EXISTS (SELECT 1 FROM {parent} AS seen WHERE seen.{parent_key} = {table}.{key})"
    return _protect(table, seen)


def without(table: str) -> list[str]:
    """Statements that undo either."""
    return [
        f"DROP POLICY own_project ON {table}",
        f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
    ]


def _protect(table: str, condition: str) -> list[str]:
    """CASE rather than OR: the planner takes an OR for one that hardly any row fulfils, and reads whole tables.

    Whether it is every row is found out once in a statement, not in each row: a large count would take twice as long.
    """
    shown = f"CASE WHEN (SELECT {_EVERY}) THEN true ELSE {condition} END"
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY own_project ON {table} USING ({shown})",
    ]
