"""`text`: plain texts."""

from __future__ import annotations

from typing import Any

from kargah.formats.base import Exchange, Format, PlainText, Row, RowError
from kargah.formats.columns import Column, column_problem, found, text_of

TEXT = Column("text", ("متن", "content"))


class Text:
    """`{"text": "..."}`."""

    name = "text"
    title = "Plain texts"
    fields = ("text",)
    rank = 110
    trained = True

    def detect(self, fields: frozenset[str], row: Row) -> bool:
        """A text column, and no conversation beside it."""
        return TEXT.present(row) and not any(_is_conversation(value) for value in row.values())

    def validate(self, row: Row) -> list[RowError]:
        """The text must say something."""
        return found(column_problem(row, TEXT))

    def to_example(self, row: Row) -> PlainText:
        """The text as it stands."""
        return PlainText(text_of(row, TEXT))

    def exchange(self, row: Row) -> Exchange:
        """The text alone."""
        text = text_of(row, TEXT)
        return Exchange(text, text, None)


def _is_conversation(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


FORMAT: Format = Text()
