"""`token_labels`: words, and a tag for each of them."""

from __future__ import annotations

from typing import Any

from kargah.formats.base import Example, Exchange, Format, NotTrained, Row, RowError
from kargah.formats.columns import Column, kind_of, missing

_TOKENS = Column("tokens", ("words", "واژه‌ها", "توکن‌ها", "کلمات"))
_TAGS = Column("tags", ("ner_tags", "labels", "pos_tags", "برچسب‌ها"))


class TokenLabels:
    """`{"tokens": ["تهران", "زیباست"], "tags": ["B-LOC", "O"]}`; a tag is text or a whole number."""

    name = "token_labels"
    title = "Words with a tag each"
    fields = ("tokens", "tags")
    rank = 20
    trained = False

    def detect(self, fields: frozenset[str], row: Row) -> bool:
        """Tokens and tags under any of their names."""
        return _TOKENS.present(row) and _TAGS.present(row)

    def validate(self, row: Row) -> list[RowError]:
        """Two lists of one length: words that say something, and tags."""
        problems = [*_list_problems(row, _TOKENS, str, "text"), *_list_problems(row, _TAGS, str | int, "a tag")]
        return problems or _length_problems(row)

    def to_example(self, row: Row) -> Example:
        """Raises NotTrained."""
        raise NotTrained(self.name)

    def exchange(self, row: Row) -> Exchange:
        """The words, on whose tags two rows should agree."""
        tokens = " ".join(row[_TOKENS.key(row) or ""])
        return Exchange(tokens, tokens, " ".join(map(str, row[_TAGS.key(row) or ""])))


def _list_problems(row: Row, column: Column, kind: Any, what: str) -> list[RowError]:
    key = column.key(row)
    if key is None:
        return [missing(column)]
    values = row[key]
    if not isinstance(values, list):
        return [RowError(key, "wrong_type", f"`{key}` must be a list, and is {kind_of(values)}")]
    if not values:
        return [RowError(key, "empty", f"`{key}` is empty")]
    for number, value in enumerate(values):
        where = f"{key}[{number}]"
        if not isinstance(value, kind) or isinstance(value, bool):
            return [RowError(where, "wrong_type", f"`{where}` must be {what}, and is {kind_of(value)}")]
        if isinstance(value, str) and not value.strip():
            return [RowError(where, "empty", f"`{where}` is empty")]
    return []


def _length_problems(row: Row) -> list[RowError]:
    tokens, tags = str(_TOKENS.key(row)), str(_TAGS.key(row))
    if len(row[tokens]) == len(row[tags]):
        return []
    message = f"`{tags}` has {len(row[tags])} tags for {len(row[tokens])} tokens"
    return [RowError(tags, "unequal_length", message)]


FORMAT: Format = TokenLabels()
