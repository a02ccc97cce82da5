"""`sharegpt`: conversations with `from` and `value`."""

from __future__ import annotations

from typing import Any

from kargah.formats.base import Chat, Exchange, Format, Row, RowError
from kargah.formats.columns import Column, found, kind_of, missing
from kargah.formats.conversation import content_problem, exchange_of, list_problem, turns_of, weight_problem

CONVERSATIONS = Column("conversations", ("conversation",))
ASSISTANTS = ("gpt", "assistant", "chatgpt", "model", "bot")
ROLES = {"system": "system", "human": "user", "user": "user", **dict.fromkeys(ASSISTANTS, "assistant")}


class ShareGpt:
    """`{"conversations": [{"from": "human", "value": "..."}, {"from": "gpt", "value": "..."}]}`."""

    name = "sharegpt"
    title = "Conversations: turns with from and value"
    fields = ("conversations",)
    rank = 50
    trained = True

    def detect(self, fields: frozenset[str], row: Row) -> bool:
        """A `conversations` (or `conversation`) column."""
        return CONVERSATIONS.present(row)

    def validate(self, row: Row) -> list[RowError]:
        """Every turn's speaker and value; some turn must be the assistant's."""
        key = CONVERSATIONS.key(row)
        if key is None:
            return [missing(CONVERSATIONS)]
        turns = row[key]
        wrong = list_problem(turns, key)
        if wrong is not None:
            return [wrong]
        problems = [p for number, turn in enumerate(turns) for p in _turn_problems(turn, f"{key}[{number}]")]
        if problems or any(turn["from"] in ASSISTANTS for turn in turns):
            return problems
        return [RowError(key, "no_assistant", "no turn is the assistant's: there is nothing to learn")]

    def to_example(self, row: Row) -> Chat:
        """The conversation up to the assistant's last turn; what people said after it teaches nothing."""
        turns = turns_of(row[CONVERSATIONS.key(row) or ""], ROLES, "from", "value")
        last = max(number for number, turn in enumerate(turns) if turn.role == "assistant")
        return Chat(turns[: last + 1])

    def exchange(self, row: Row) -> Exchange:
        """The turns before the assistant's last, and that turn."""
        turns = row[CONVERSATIONS.key(row) or ""]
        last = max(number for number, turn in enumerate(turns) if turn["from"] in ASSISTANTS)
        return exchange_of(turns[: last + 1], "value")


def _turn_problems(turn: Any, field: str) -> list[RowError]:
    if not isinstance(turn, dict):
        return [RowError(field, "wrong_type", f"`{field}` must be an object, and is {kind_of(turn)}")]
    speaker = turn.get("from")
    if not isinstance(speaker, str) or speaker not in ROLES:
        return [RowError(f"{field}.from", "unknown_role", f"`{field}.from` must be one of {', '.join(ROLES)}")]
    value = content_problem(turn.get("value"), f"{field}.value", ROLES[speaker])
    return found(value, weight_problem(turn, field, ROLES[speaker]))


FORMAT: Format = ShareGpt()
