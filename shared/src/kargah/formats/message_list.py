"""A list of messages with `role` and `content`, wherever a format has one: what is wrong with it, and its turns."""

from __future__ import annotations

from typing import Any

from kargah.formats.base import RowError, Turn
from kargah.formats.columns import found, kind_of
from kargah.formats.conversation import content_problem, list_problem, turns_of, weight_problem

ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}


def messages_problems(messages: Any, field: str) -> list[RowError]:
    """Every turn's role, content and weight."""
    wrong = list_problem(messages, field)
    if wrong is not None:
        return [wrong]
    return [p for number, message in enumerate(messages) for p in _turn_problems(message, f"{field}[{number}]")]


def ending_problems(messages: list[dict[str, Any]], field: str) -> list[RowError]:
    """The last of valid messages must be the assistant's."""
    if messages[-1]["role"] == "assistant":
        return []
    where = f"{field}[{len(messages) - 1}].role"
    return [RowError(where, "last_not_assistant", "the last message must be the assistant's: it is what is learned")]


def message_turns(messages: list[dict[str, Any]]) -> tuple[Turn, ...]:
    """The turns of valid messages; those with weight 0 carry no loss."""
    return turns_of(messages, ROLES, "role", "content")


def _turn_problems(message: Any, field: str) -> list[RowError]:
    if not isinstance(message, dict):
        return [RowError(field, "wrong_type", f"`{field}` must be an object, and is {kind_of(message)}")]
    role = message.get("role")
    if len(message) == 2 and _is_plain(role, message.get("content")):
        return []
    if not isinstance(role, str) or role not in ROLES:
        return [RowError(f"{field}.role", "unknown_role", f"`{field}.role` must be one of {', '.join(ROLES)}")]
    if message.get("tool_calls") or message.get("function_call"):
        return [RowError(f"{field}.tool_calls", "unsupported", "tool calls are not trained on; leave them out")]
    content = content_problem(message.get("content"), f"{field}.content", ROLES[role])
    return found(content, weight_problem(message, field, role))


def _is_plain(role: Any, content: Any) -> bool:
    """The usual turn, told apart quickly."""
    return type(role) is str and role in ROLES and type(content) is str and bool(content) and not content.isspace()
