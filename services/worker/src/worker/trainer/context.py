"""What a recipe sees of the platform."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Protocol

from kargah.contracts.runs import (
    CheckpointMessage,
    EventMessage,
    LogMessage,
    MetricsMessage,
    OutputMessage,
    PhaseMessage,
    ProgressMessage,
    RunSpec,
    TrainerMessage,
)

Outcome = Literal["finished", "stopped", "paused", "drained"]
Action = Literal["pause", "stop", "checkpoint", "drain"]
Ending = Literal["pause", "stop", "drain"]
Phase = Literal["preparing", "training", "evaluating", "saving"]
Level = Literal["debug", "info", "warning", "error"]

_URGENCY: dict[Ending, int] = {"stop": 1, "pause": 2, "drain": 3}


class RunContext(Protocol):
    """One run's side of the conversation with its agent. Every method may be called from any thread."""

    @property
    def spec(self) -> RunSpec: ...

    def phase(self, phase: Phase) -> None: ...

    def progress(self, message: ProgressMessage) -> None: ...

    def metrics(self, step: int, epoch: float, values: Mapping[str, float]) -> None:
        """Values at an optimizer step; sending a step again replaces it."""
        ...

    def log(self, message: str, level: Level = "info") -> None: ...

    def event(self, name: str, data: Mapping[str, Any]) -> None: ...

    def checkpoint(self, message: CheckpointMessage) -> None:
        """Hand over a checkpoint: from now on its directory is the agent's to delete."""
        ...

    def output(self, message: OutputMessage) -> None: ...

    def ending(self) -> Ending | None:
        """What has been asked for, if it ends the run: the most urgent of all that has arrived. Never blocks."""
        ...

    def checkpoint_requested(self) -> bool:
        """Whether a checkpoint has been asked for since the last call."""
        ...


class MessageContext(ABC):
    """A RunContext on top of `send` and `receive`; what they stand on is the subclass's."""

    def __init__(self, spec: RunSpec) -> None:
        self._spec = spec
        self._ending: Ending | None = None
        self._checkpoint = False

    @property
    def spec(self) -> RunSpec:
        return self._spec

    @abstractmethod
    def send(self, message: TrainerMessage) -> None:
        """Deliver one message; raises AgentGone."""

    @abstractmethod
    def receive(self) -> list[Action]:
        """What has arrived since the last call, without waiting; raises AgentGone."""

    def phase(self, phase: Phase) -> None:
        self.send(PhaseMessage(phase=phase))

    def progress(self, message: ProgressMessage) -> None:
        self.send(message)

    def metrics(self, step: int, epoch: float, values: Mapping[str, float]) -> None:
        self.send(MetricsMessage(step=step, epoch=epoch, values=dict(values)))

    def log(self, message: str, level: Level = "info") -> None:
        self.send(LogMessage(level=level, message=message))

    def event(self, name: str, data: Mapping[str, Any]) -> None:
        self.send(EventMessage(name=name, data=dict(data)))

    def checkpoint(self, message: CheckpointMessage) -> None:
        self.send(message)

    def output(self, message: OutputMessage) -> None:
        self.send(message)

    def ending(self) -> Ending | None:
        self._listen()
        return self._ending

    def checkpoint_requested(self) -> bool:
        self._listen()
        asked, self._checkpoint = self._checkpoint, False
        return asked

    def _listen(self) -> None:
        arrived = self.receive()
        self._checkpoint = self._checkpoint or "checkpoint" in arrived
        self._ending = self._most_urgent(self._ending, arrived)

    @staticmethod
    def _most_urgent(ending: Ending | None, actions: Iterable[Action]) -> Ending | None:
        for action in actions:
            if action != "checkpoint" and (ending is None or _URGENCY[action] > _URGENCY[ending]):
                ending = action
        return ending
