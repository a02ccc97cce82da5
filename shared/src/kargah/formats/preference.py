"""`preference`: a prompt and two answers, of which one is better."""

from __future__ import annotations

from kargah.formats.base import Example, Exchange, Format, NotTrained, Row, RowError
from kargah.formats.columns import Column
from kargah.formats.said import said, said_problems, said_text

_PROMPT = Column("prompt", ("question", "instruction", "ورودی", "پرسش"))
_CHOSEN = Column("chosen", ("preferred", "برگزیده", "پسندیده"))
_REJECTED = Column("rejected", ("dispreferred", "ردشده", "ناپسند"))


class Preference:
    """`{"prompt": "...", "chosen": "...", "rejected": "..."}`; each a text or a list of messages.

    Without a prompt, chosen and rejected are two whole conversations that begin alike.
    """

    name = "preference"
    title = "Preference pairs: a prompt, a better and a worse answer"
    fields = ("prompt", "chosen", "rejected")
    rank = 10
    trained = False

    def detect(self, fields: frozenset[str], row: Row) -> bool:
        """A chosen and a rejected answer under any of their names."""
        return _CHOSEN.present(row) and _REJECTED.present(row)

    def validate(self, row: Row) -> list[RowError]:
        """All three must say something, and the answers differ and be written alike."""
        problems = [p for column in (_CHOSEN, _REJECTED) for p in said_problems(row, column)]
        if _PROMPT.present(row) or not isinstance(said(row, _CHOSEN), list):
            problems = [*said_problems(row, _PROMPT), *problems]
        return problems or _pair_problems(row)

    def to_example(self, row: Row) -> Example:
        """Raises NotTrained."""
        raise NotTrained(self.name)

    def exchange(self, row: Row) -> Exchange:
        """The prompt and the chosen answer; many pairs may share a prompt."""
        return Exchange(said_text(said(row, _PROMPT)), said_text(said(row, _CHOSEN)), None)


def _pair_problems(row: Row) -> list[RowError]:
    chosen, rejected = said(row, _CHOSEN), said(row, _REJECTED)
    key = str(_REJECTED.key(row))
    if type(chosen) is not type(rejected):
        return [RowError(key, "wrong_type", f"`{key}` must be text or messages, as the chosen answer is")]
    if chosen == rejected:
        return [RowError(key, "same", f"`{key}` is the chosen answer again: there is nothing to prefer")]
    return []


FORMAT: Format = Preference()
