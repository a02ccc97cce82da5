"""Columns that hold either a text or a list of messages, as preference data write them."""

from __future__ import annotations

from typing import Any

from kargah.formats.base import Row, RowError
from kargah.formats.columns import Column, kind_of, missing, text_problem
from kargah.formats.conversation import content_text
from kargah.formats.message_list import messages_problems


def said_problems(row: Row, column: Column) -> list[RowError]:
    """What is wrong with a required column that holds a text or messages."""
    key = column.key(row)
    if key is None:
        return [missing(column)]
    value = row[key]
    if isinstance(value, list):
        return messages_problems(value, key)
    if not isinstance(value, str):
        return [RowError(key, "wrong_type", f"`{key}` must be text or a list of messages, and is {kind_of(value)}")]
    wrong = text_problem(value, key)
    return [] if wrong is None else [wrong]


def said(row: Row, column: Column) -> Any:
    """The column's value in a valid row; None when the row has no such column."""
    key = column.key(row)
    return None if key is None else row[key]


def said_text(value: Any) -> str:
    """A valid text, or the texts of valid messages on lines of their own."""
    if isinstance(value, list):
        return "\n".join(content_text(message["content"]) for message in value)
    return value if isinstance(value, str) else ""
