"""The real contexts: JSON lines over a pipe each way, or lines on standard output when run by hand."""

from __future__ import annotations

import os
import select
import shutil
import sys
from threading import Lock

from kargah.contracts.runs import CheckpointMessage, ControlMessage, RunSpec, TrainerMessage
from worker.trainer.context import Action, MessageContext
from worker.trainer.errors import AgentGone

_READ_BYTES = 65_536


class PipeContext(MessageContext):
    """Writes messages to `write_fd`; reads controls from `read_fd`, whose end of file means that the agent is gone."""

    def __init__(self, spec: RunSpec, read_fd: int, write_fd: int) -> None:
        super().__init__(spec)
        self._read_fd = read_fd
        self._write_fd = write_fd
        self._writing = Lock()
        self._reading = Lock()
        self._partial = b""

    def send(self, message: TrainerMessage) -> None:
        data = memoryview(message.model_dump_json().encode() + b"\n")
        with self._writing:
            try:
                while data:
                    data = data[os.write(self._write_fd, data) :]
            except BrokenPipeError as error:
                raise AgentGone from error

    def receive(self) -> list[Action]:
        with self._reading:
            while self._readable():
                data = os.read(self._read_fd, _READ_BYTES)
                if not data:
                    raise AgentGone
                self._partial += data
            *lines, self._partial = self._partial.split(b"\n")
        return [ControlMessage.model_validate_json(line).action for line in lines if line]

    def _readable(self) -> bool:
        return bool(select.select([self._read_fd], [], [], 0)[0])


class PrintingContext(MessageContext):
    """For a run by hand: every message is a line on standard output, there are no controls, and as no agent takes
    checkpoints away, the newest one is kept."""

    def __init__(self, spec: RunSpec) -> None:
        super().__init__(spec)
        self._newest: str | None = None

    def checkpoint(self, message: CheckpointMessage) -> None:
        super().checkpoint(message)
        if self._newest is not None:
            shutil.rmtree(self._newest, ignore_errors=True)
        self._newest = message.directory

    def send(self, message: TrainerMessage) -> None:
        sys.stdout.write(message.model_dump_json() + "\n")
        sys.stdout.flush()

    def receive(self) -> list[Action]:
        return []
