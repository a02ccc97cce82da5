"""`prompt_completion`: a text and how it goes on."""

from __future__ import annotations

from kargah.formats.base import Chat, Exchange, Format, Row, RowError, Turn
from kargah.formats.columns import Column, column_problem, found, text_of

_PROMPT = Column("prompt", ("input", "inputs", "ورودی"))
_COMPLETION = Column("completion", ("response", "target", "targets", "خروجی"))


class PromptCompletion:
    """`{"prompt": "...", "completion": "..."}`."""

    name = "prompt_completion"
    title = "Prompts and completions"
    fields = ("prompt", "completion")
    rank = 90
    trained = True

    def detect(self, fields: frozenset[str], row: Row) -> bool:
        """A prompt and a completion under any of their names."""
        return _PROMPT.present(row) and _COMPLETION.present(row)

    def validate(self, row: Row) -> list[RowError]:
        """Both texts must say something."""
        return found(column_problem(row, _PROMPT), column_problem(row, _COMPLETION))

    def to_example(self, row: Row) -> Chat:
        """The prompt is the user's turn, the completion the assistant's."""
        return Chat((Turn("user", text_of(row, _PROMPT)), Turn("assistant", text_of(row, _COMPLETION), True)))

    def exchange(self, row: Row) -> Exchange:
        """The prompt and the completion."""
        completion = text_of(row, _COMPLETION)
        return Exchange(text_of(row, _PROMPT), completion, completion)


FORMAT: Format = PromptCompletion()
