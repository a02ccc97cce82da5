"""`question_answer`: a question, its answer, and perhaps the passage it is asked about."""

from __future__ import annotations

from typing import Any

from kargah.formats.answers import answer_text, chosen, is_choice
from kargah.formats.base import Chat, Exchange, Format, Row, RowError, Turn
from kargah.formats.columns import Column, column_problem, found, missing, optional_problem, text_of

QUESTION = Column("question", ("سوال", "پرسش", "سؤال", "query"))
ANSWER = Column("answer", ("جواب", "پاسخ", "answers", "answer_text"))
CONTEXT = Column("context", ("passage", "متن", "زمینه"))
CANDIDATES = "candidates"


class QuestionAnswer:
    """`{"question": "...", "answer": "...", "context": "..."}`, and ParsiNLU's and SQuAD's spellings of it."""

    name = "question_answer"
    title = "Questions and answers, with an optional context"
    fields = ("question", "answer", "context")
    rank = 80
    trained = True

    def detect(self, fields: frozenset[str], row: Row) -> bool:
        """A question and an answer under any of their names."""
        return QUESTION.present(row) and ANSWER.present(row)

    def validate(self, row: Row) -> list[RowError]:
        """Both texts must say something; a context may be absent."""
        return found(column_problem(row, QUESTION), _answer_problem(row), optional_problem(row, CONTEXT))

    def to_example(self, row: Row) -> Chat:
        """A user's turn (context, question, choices) and the assistant's answer."""
        answer = _answer(row) or ""
        return Chat((Turn("user", _asked(row)), Turn("assistant", answer, True)))

    def exchange(self, row: Row) -> Exchange:
        """The question with its context, and the answer."""
        answer = _answer(row) or ""
        return Exchange(_asked(row), answer, answer)


def _asked(row: Row) -> str:
    parts = [text_of(row, CONTEXT), text_of(row, QUESTION)]
    candidates: Any = row.get(CANDIDATES)
    if is_choice(candidates):
        parts.append("\n".join(f"{number}. {text}" for number, text in enumerate(candidates, 1)))
    return "\n\n".join(part for part in parts if part.strip())


def _answer(row: Row) -> str | None:
    key = ANSWER.key(row)
    if key is None:
        return None
    if CANDIDATES not in row:
        return answer_text(row[key])
    return chosen(row[key], row.get(CANDIDATES)) or answer_text(row[key])


def _answer_problem(row: Row) -> RowError | None:
    key = ANSWER.key(row)
    if key is None:
        return missing(ANSWER)
    answer = _answer(row)
    if answer is None:
        return RowError(key, "wrong_type", f"`{key}` holds no text: give the answer as text")
    return None if answer.strip() else RowError(key, "empty", f"`{key}` is empty")


FORMAT: Format = QuestionAnswer()
