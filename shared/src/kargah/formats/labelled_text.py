"""`labelled_text`: a text, or a pair of texts, and its class."""

from __future__ import annotations

from kargah.formats.base import Exchange, Format, LabelledText, Row, RowError
from kargah.formats.columns import Column, column_problem, found, kind_of, missing, text_of

TEXT = Column("text", ("متن", "sentence", "review", "comment", "نظر"))
LABEL = Column("label", ("برچسب", "class", "category", "دسته"))
_FIRST = Column("sentence1", ("sent1", "premise", "q1"))
_SECOND = Column("sentence2", ("sent2", "hypothesis", "q2"))


class LabelledTexts:
    """`{"text": "...", "label": "..."}`; a label is text, a whole number or a boolean."""

    name = "labelled_text"
    title = "Texts with a label"
    fields = ("text", "label")
    rank = 100
    trained = True

    def detect(self, fields: frozenset[str], row: Row) -> bool:
        """A label, and a text or a pair of texts, under any of their names."""
        return LABEL.present(row) and (TEXT.present(row) or _is_pair(row))

    def validate(self, row: Row) -> list[RowError]:
        """The text must say something and the label name a class."""
        if _is_pair(row) and not TEXT.present(row):
            return found(column_problem(row, _FIRST), column_problem(row, _SECOND), _label_problem(row))
        return found(column_problem(row, TEXT), _label_problem(row))

    def to_example(self, row: Row) -> LabelledText:
        """The text (a pair stands on two lines) and the label as text."""
        text = text_of(row, TEXT) or f"{text_of(row, _FIRST)}\n{text_of(row, _SECOND)}"
        return LabelledText(text, label_of(row))

    def exchange(self, row: Row) -> Exchange:
        """The text; rows of one text should agree on its label."""
        text, label = self.to_example(row).text, label_of(row)
        return Exchange(text, text, label)


def label_of(row: Row) -> str:
    """The label of a valid row as text; booleans as JSON writes them."""
    value = row[LABEL.key(row) or ""]
    return str(value).lower() if isinstance(value, bool) else str(value).strip()


def _is_pair(row: Row) -> bool:
    return _FIRST.present(row) and _SECOND.present(row)


def _label_problem(row: Row) -> RowError | None:
    key = LABEL.key(row)
    if key is None:
        return missing(LABEL)
    if not isinstance(row[key], str | int):
        return RowError(key, "wrong_type", f"`{key}` must be text or a whole number, and is {kind_of(row[key])}")
    return None if str(row[key]).strip() else RowError(key, "empty", f"`{key}` is empty")


FORMAT: Format = LabelledTexts()
