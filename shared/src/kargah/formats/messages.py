"""`messages`: conversations as chat APIs write them."""

from __future__ import annotations

from kargah.formats.base import Chat, Exchange, Format, Row, RowError
from kargah.formats.columns import Column, missing
from kargah.formats.conversation import exchange_of
from kargah.formats.message_list import ending_problems, message_turns, messages_problems

_MESSAGES = Column("messages")


class Messages:
    """`{"messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "...", "weight": 1}]}`."""

    name = "messages"
    title = "Conversations: messages with a role and a content"
    fields = ("messages",)
    rank = 40
    trained = True

    def detect(self, fields: frozenset[str], row: Row) -> bool:
        """A `messages` column."""
        return "messages" in fields

    def validate(self, row: Row) -> list[RowError]:
        """Every turn's role, content and weight; the last turn must be the assistant's."""
        if "messages" not in row:
            return [missing(_MESSAGES)]
        return messages_problems(row["messages"], "messages") or ending_problems(row["messages"], "messages")

    def to_example(self, row: Row) -> Chat:
        """The conversation; turns with weight 0 carry no loss."""
        return Chat(message_turns(row["messages"]))

    def exchange(self, row: Row) -> Exchange:
        """The turns before the last, and the last."""
        return exchange_of(row["messages"], "content")


FORMAT: Format = Messages()
