"""`messages`: conversations as chat APIs write them."""

from __future__ import annotations

from typing import Any

from kargah.formats.base import Chat, Format, Row, RowError
from kargah.formats.columns import Column, found, kind_of, missing
from kargah.formats.conversation import content_problem, list_problem, turns_of, weight_problem

_MESSAGES = Column("messages")
_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}


class Messages:
    """`{"messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "...", "weight": 1}]}`."""

    name = "messages"
    title = "Conversations: messages with a role and a content"
    fields = ("messages",)

    def detect(self, fields: frozenset[str], row: Row) -> bool:
        """A `messages` column."""
        return "messages" in fields

    def validate(self, row: Row) -> list[RowError]:
        """Every turn's role, content and weight; the last turn must be the assistant's."""
        if "messages" not in row:
            return [missing(_MESSAGES)]
        messages = row["messages"]
        wrong = list_problem(messages, "messages")
        if wrong is not None:
            return [wrong]
        problems = [p for number, message in enumerate(messages) for p in _turn_problems(message, number)]
        return problems or _ending_problems(messages)

    def to_example(self, row: Row) -> Chat:
        """The conversation; turns with weight 0 carry no loss."""
        return Chat(turns_of(row["messages"], _ROLES, "role", "content"))


def _turn_problems(message: Any, number: int) -> list[RowError]:
    field = f"messages[{number}]"
    if not isinstance(message, dict):
        return [RowError(field, "wrong_type", f"`{field}` must be an object, and is {kind_of(message)}")]
    role = message.get("role")
    if len(message) == 2 and _is_plain(role, message.get("content")):
        return []
    if not isinstance(role, str) or role not in _ROLES:
        return [RowError(f"{field}.role", "unknown_role", f"`{field}.role` must be one of {', '.join(_ROLES)}")]
    if message.get("tool_calls") or message.get("function_call"):
        return [RowError(f"{field}.tool_calls", "unsupported", "tool calls are not trained on; leave them out")]
    content = content_problem(message.get("content"), f"{field}.content", _ROLES[role])
    return found(content, weight_problem(message, field, role))


def _is_plain(role: Any, content: Any) -> bool:
    """The usual turn, told apart quickly."""
    return type(role) is str and role in _ROLES and type(content) is str and bool(content) and not content.isspace()


def _ending_problems(messages: list[dict[str, Any]]) -> list[RowError]:
    if messages[-1]["role"] == "assistant":
        return []
    field = f"messages[{len(messages) - 1}].role"
    return [RowError(field, "last_not_assistant", "the last message must be the assistant's: it is what is learned")]


FORMAT: Format = Messages()
