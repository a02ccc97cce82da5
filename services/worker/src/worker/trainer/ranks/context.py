"""What a rank sees of the platform: rank 0 talks to the agent, the others only say why they failed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from kargah.contracts.runs import CheckpointMessage, FailedMessage, RunSpec, TrainerMessage
from worker.trainer.context import Action, Ending, MessageContext
from worker.trainer.errors import AgentGone


@dataclass(frozen=True)
class Meeting:
    """Where the ranks of several machines meet; rank 0 listens there already, on `listen_fd`."""

    host: str
    port: int
    listen_fd: int | None = None


class Call(Protocol):
    """How rank 0 reaches the others outside of meetings. Raises RuntimeError when a rank is gone."""

    def make(self) -> None:
        """For good: the run ends."""

    def was_made(self) -> bool: ...


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
        self._heard: list[Action] = []
        self._apart: Call | None = None
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
        self._heard += self._inner.receive()
        return self._heard

    def agree(self, actions: Iterable[Action]) -> None:
        """From now on these are what was asked for."""
        self._agreed += actions
        self._heard = []

    @contextmanager
    def apart(self, call: Call) -> Iterator[None]:
        """Within the block, `ending` tells also what the ranks have not agreed on yet: rank 0 what the agent asks for,
        and the others that rank 0 has heard of an end."""
        self._apart = call
        try:
            yield
        finally:
            self._apart = None

    def ending(self) -> Ending | None:
        ending = super().ending()
        if self._apart is None or ending not in (None, "stop"):
            return ending
        if self.rank > 0:
            return "pause" if self._apart.was_made() else ending
        ending = self._most_urgent(ending, self.heard())
        if ending not in (None, "stop"):
            self._apart.make()
        return ending


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
