"""Columns by any of their usual names, in English or Persian, and reading text out of them."""

from __future__ import annotations

import unicodedata
from typing import Any

from kargah.formats.base import Row, RowError

_LONGEST_NAME = 64
_MOST_COLUMNS = 64
_MOST_KNOWN = 256
_KINDS: dict[type, str] = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
}
_LETTERS = str.maketrans({"ي": "ی", "ك": "ک", "ؤ": "و", "أ": "ا", "_": " ", "-": " ", "\u200c": " "})


class Column:
    """One column: the canonical `name` and the `aliases` under which files bring it."""

    def __init__(self, name: str, aliases: tuple[str, ...] = ()) -> None:
        self.name = name
        self.aliases = aliases
        self._loose_names = {loose(own) for own in (name, *aliases)}
        # The rows of one file share their keys, so each set of keys is compared once.
        self._known: dict[tuple[str, ...], str | None] = {}

    def key(self, row: Row) -> str | None:
        """The key of `row` that holds this column; canonical name first, then aliases, then a loose comparison."""
        if self.name in row:
            return self.name
        if len(row) > _MOST_COLUMNS:
            return next((alias for alias in self.aliases if alias in row), None)
        keys = tuple(row)
        try:
            return self._known[keys]
        except KeyError:
            return self._remember(keys)

    def _remember(self, keys: tuple[str, ...]) -> str | None:
        """Find the key; the limits bound what a hostile file can leave in the memory."""
        found = self._find(keys)
        if max(map(len, keys), default=0) <= _LONGEST_NAME:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[keys] = found
        return found

    def _find(self, keys: tuple[str, ...]) -> str | None:
        for alias in self.aliases:
            if alias in keys:
                return alias
        return next((key for key in keys if len(key) <= _LONGEST_NAME and loose(key) in self._loose_names), None)

    def present(self, row: Row) -> bool:
        """Whether the row has this column under any name."""
        return self.key(row) is not None


def loose(name: str) -> str:
    """A column name without what people vary: case, spaces, underscores, Arabic forms of Persian letters."""
    return unicodedata.normalize("NFKC", name).translate(_LETTERS).strip().casefold()


def missing(column: Column) -> RowError:
    """The row lacks a column it must have."""
    names = ", ".join((column.name, *column.aliases[:3]))
    return RowError(column.name, "missing", f"no column `{column.name}` (accepted names: {names})")


def text_problem(value: Any, field: str, *, may_be_empty: bool = False) -> RowError | None:
    """What is wrong with a value that must be text; None if nothing."""
    if not isinstance(value, str):
        return RowError(field, "wrong_type", f"`{field}` must be text, and is {kind_of(value)}")
    if not may_be_empty and (not value or value.isspace()):
        return RowError(field, "empty", f"`{field}` is empty")
    return None


def column_problem(row: Row, column: Column) -> RowError | None:
    """What is wrong with a required text column; None if nothing."""
    key = column.key(row)
    return missing(column) if key is None else text_problem(row[key], key)


def optional_problem(row: Row, column: Column) -> RowError | None:
    """What is wrong with a text column that may be absent, null or empty; None if nothing."""
    key = column.key(row)
    if key is None or row[key] is None:
        return None
    return text_problem(row[key], key, may_be_empty=True)


def text_of(row: Row, column: Column) -> str:
    """The column's text; empty when absent or null. Only for rows that passed validation."""
    key = column.key(row)
    value = None if key is None else row[key]
    return value if isinstance(value, str) else ""


def found(*problems: RowError | None) -> list[RowError]:
    """The problems among several checks' answers."""
    return [problem for problem in problems if problem is not None]


def kind_of(value: Any) -> str:
    """The JSON kind of a value in words."""
    return _KINDS.get(type(value), type(value).__name__)
