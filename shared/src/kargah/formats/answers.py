"""The ways in which question/answer files write an answer: text, a list, SQuAD's and ParsiNLU's objects, a choice."""

from __future__ import annotations

from typing import Any

_TEXT_KEYS = ("answer_text", "text", "answer")


def answer_text(value: Any) -> str | None:
    """The first answer that is text: `"..."`, `["..."]`, `{"text": [...]}`, `[{"answer_text": "..."}]`; or None."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return answer_text(value[0]) if value and not isinstance(value[0], list) else None
    if isinstance(value, dict):
        return next((_flat(value[key]) for key in _TEXT_KEYS if key in value), None)
    return None


def _flat(value: Any) -> str | None:
    first = value[0] if isinstance(value, list) and value else value
    return first if isinstance(first, str) else None


def chosen(value: Any, candidates: Any) -> str | None:
    """The candidate that a 1-based number (`2` or `"2"`) points at; None if this is no multiple choice."""
    if not is_choice(candidates) or isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value).strip()
    if not (text.isdecimal() and len(text) < 4):
        return None
    number = int(text)
    return str(candidates[number - 1]) if 1 <= number <= len(candidates) else None


def is_choice(candidates: Any) -> bool:
    """Whether this is a list of texts to choose from."""
    return isinstance(candidates, list) and bool(candidates) and all(isinstance(c, str) for c in candidates)
