"""The in-memory twin of a context, so that recipes run in tests without any process around them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from kargah.contracts.runs import MetricsMessage, RunSpec, TrainerMessage
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


@dataclass(frozen=True)
class Ran:
    """One run: its exit status, what it said, and its work folder."""

    status: int
    context: MemoryContext
    work: Path

    def losses(self) -> dict[int, float]:
        return self.values("loss")

    def values(self, name: str) -> dict[int, float]:
        """One metric by step."""
        points = [message for message in self.context.sent(MetricsMessage) if name in message.values]
        return {point.step: point.values[name] for point in points}

    @property
    def output(self) -> Path:
        return self.work / "output"


Runner = Callable[..., Ran]
