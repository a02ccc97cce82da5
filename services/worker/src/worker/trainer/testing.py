"""The in-memory twin of a context, so that recipes run in tests without any process around them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TypeVar

from kargah.contracts.runs import RunSpec, TrainerMessage
from worker.trainer.context import Action, MessageContext

Kind = TypeVar("Kind")


class MemoryContext(MessageContext):
    """Keeps what is sent in `messages`. `on_message` sees each one first, and may put actions into `controls`."""

    def __init__(
        self, spec: RunSpec, on_message: Callable[[MemoryContext, TrainerMessage], None] | None = None
    ) -> None:
        super().__init__(spec)
        self.messages: list[TrainerMessage] = []
        self.controls: deque[Action] = deque()
        self._on_message = on_message

    def send(self, message: TrainerMessage) -> None:
        self.messages.append(message)
        if self._on_message is not None:
            self._on_message(self, message)

    def receive(self) -> list[Action]:
        arrived = list(self.controls)
        self.controls.clear()
        return arrived

    def sent(self, kind: type[Kind]) -> list[Kind]:
        """All messages of one type, in order."""
        return [message for message in self.messages if isinstance(message, kind)]
