"""What the two conversation formats share: reading a turn's text, its weight and its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kargah.formats.base import Exchange, RowError, Turn
from kargah.formats.columns import kind_of, text_problem


def content_problem(content: Any, field: str, role: str) -> RowError | None:
    """What is wrong with a turn's content: text, or a list of text parts; only a system turn may be empty."""
    if isinstance(content, list):
        return _parts_problem(content, field)
    return text_problem(content, field, may_be_empty=role == "system")


def _parts_problem(parts: list[Any], field: str) -> RowError | None:
    for number, part in enumerate(parts):
        where = f"{field}[{number}]"
        if not isinstance(part, dict) or part.get("type") != "text" or not isinstance(part.get("text"), str):
            return RowError(where, "unsupported", f"`{where}` is not a text part; only text is trained on")
    return None if content_text(parts).strip() else RowError(field, "empty", f"`{field}` is empty")


def content_text(content: Any) -> str:
    """The text of valid content."""
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def weight_problem(message: Mapping[str, Any], field: str, role: str) -> RowError | None:
    """`weight`, where given, is 0 or 1, and stands on an assistant's turn only."""
    weight = message.get("weight")
    if weight is None:
        return None
    if isinstance(weight, bool) or weight not in (0, 1):
        return RowError(f"{field}.weight", "out_of_range", f"`{field}.weight` must be 0 or 1")
    if role != "assistant":
        return RowError(f"{field}.weight", "misplaced", "only the assistant's turns have a weight")
    return None


def list_problem(turns: Any, field: str) -> RowError | None:
    """A conversation is a list with something in it."""
    if not isinstance(turns, list):
        return RowError(field, "wrong_type", f"`{field}` must be a list of turns, and is {kind_of(turns)}")
    return None if turns else RowError(field, "empty", f"`{field}` is empty")


def turns_of(
    messages: Sequence[Mapping[str, Any]],
    roles: Mapping[str, str],
    role_key: str,
    text_key: str,
) -> tuple[Turn, ...]:
    """Turns of valid messages, without the empty system turns that some files carry."""
    turns = []
    for message in messages:
        role = roles[message[role_key]]
        text = content_text(message[text_key])
        if role == "system" and not text.strip():
            continue
        turns.append(Turn(role, text, role == "assistant" and message.get("weight", 1) != 0))
    return tuple(turns)


def exchange_of(turns: Sequence[Mapping[str, Any]], text_key: str) -> Exchange:
    """A valid conversation: what stands before the last turn, and that turn."""
    texts = [content_text(turn[text_key]) for turn in turns]
    return Exchange("\n".join(texts[:-1]), texts[-1], texts[-1])
