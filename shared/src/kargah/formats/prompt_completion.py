"""`prompt_completion`: a text and how it goes on."""

from __future__ import annotations

from kargah.formats.base import Chat, Exchange, Format, Row, RowError, Turn
from kargah.formats.columns import Column, column_problem, found, text_of

PROMPT = Column("prompt", ("input", "inputs", "ورودی"))
COMPLETION = Column("completion", ("response", "target", "targets", "خروجی"))


class PromptCompletion:
    """`{"prompt": "...", "completion": "..."}`."""

    name = "prompt_completion"
    title = "Prompts and completions"
    fields = ("prompt", "completion")
    rank = 90
    trained = True

    def detect(self, fields: frozenset[str], row: Row) -> bool:
        """A prompt and a completion under any of their names."""
        return PROMPT.present(row) and COMPLETION.present(row)

    def validate(self, row: Row) -> list[RowError]:
        """Both texts must say something."""
        return found(column_problem(row, PROMPT), column_problem(row, COMPLETION))

    def to_example(self, row: Row) -> Chat:
        """The prompt is the user's turn, the completion the assistant's."""
        return Chat((Turn("user", text_of(row, PROMPT)), Turn("assistant", text_of(row, COMPLETION), True)))

    def exchange(self, row: Row) -> Exchange:
        """The prompt and the completion."""
        completion = text_of(row, COMPLETION)
        return Exchange(text_of(row, PROMPT), completion, completion)


FORMAT: Format = PromptCompletion()
