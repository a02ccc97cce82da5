"""What a rank sees of the platform: rank 0 talks to the agent, the others only say why they failed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kargah.contracts.runs import CheckpointMessage, FailedMessage, RunSpec, TrainerMessage
from worker.trainer.context import Action, MessageContext
from worker.trainer.errors import AgentGone


@dataclass(frozen=True)
class Meeting:
    """Where the ranks of several machines meet; rank 0 listens there already, on `listen_fd`."""

    host: str
    port: int
    listen_fd: int | None = None


class RankContext(MessageContext):
    """One rank's context. What the agent asks for is obeyed only once all ranks have agreed on it (`Team.meet`), so
    that all of them obey at the same step."""

    def __init__(
        self,
        inner: MessageContext,
        rank: int,
        broken: Callable[[RuntimeError], Exception],
        meeting: Meeting | None = None,
    ) -> None:
        """`broken` turns a failed meeting into what is to be raised. No `meeting`: all ranks are on this machine."""
        super().__init__(inner.spec)
        self._inner = inner
        self._agreed: list[Action] = []
        self.rank = rank
        self.broken = broken
        self.meeting = meeting

    def send(self, message: TrainerMessage) -> None:
        self._inner.send(message)

    def checkpoint(self, message: CheckpointMessage) -> None:
        self._inner.checkpoint(message)

    def receive(self) -> list[Action]:
        agreed, self._agreed = self._agreed, []
        return agreed

    def heard(self) -> list[Action]:
        """What the agent has asked for and the other ranks do not know yet; nothing on ranks other than 0."""
        return self._inner.receive()

    def agree(self, actions: Iterable[Action]) -> None:
        """From now on these are what was asked for."""
        self._agreed += actions


class PeerContext(MessageContext):
    """Beneath the context of a rank other than 0: only why it failed leaves the process, for rank 0 to tell."""

    def __init__(self, spec: RunSpec, write_fd: int) -> None:
        super().__init__(spec)
        self._write_fd = write_fd

    def send(self, message: TrainerMessage) -> None:
        if not isinstance(message, FailedMessage):
            return
        try:
            os.write(self._write_fd, message.model_dump_json().encode())
        except BrokenPipeError as error:
            raise AgentGone from error

    def receive(self) -> list[Action]:
        return []
