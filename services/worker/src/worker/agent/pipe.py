"""The agent's end of a trainer's pipes: lines in, controls out."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator

from pydantic import ValidationError

from kargah.contracts.runs import ControlMessage, LogMessage, TrainerMessage, trainer_message

_CHUNK = 1 << 16
_MAX_LINE = 4 << 20
_SHOWN = 200


def parse(line: bytes) -> TrainerMessage:
    """The message in `line`; what cannot be read becomes a warning for the job's log, so that nothing is silent."""
    try:
        return trainer_message.validate_json(line)
    except ValidationError as error:
        shown = line[:_SHOWN].decode("utf-8", "replace")
        return LogMessage(level="warning", message=f"unreadable message from the trainer ({_reason(error)}): {shown}")


def lines(read: Callable[[], bytes]) -> Iterator[bytes]:
    """Whole lines until `read` returns nothing; a line over 4 MiB is cut there and its rest dropped."""
    buffer, skipping = b"", False
    while data := read():
        *whole, buffer = (buffer + data).split(b"\n")
        for line in whole:
            if line and not skipping:
                yield line
            skipping = False
        if len(buffer) > _MAX_LINE:
            if not skipping:
                yield buffer[:_MAX_LINE]
            buffer, skipping = b"", True
    if buffer and not skipping:
        yield buffer


class MessageReader:
    """A thread that hands each message to `on_message`, and None at the end. It blocks where `on_message` does,
    and then so does the trainer: nothing piles up here."""

    def __init__(self, fd: int, on_message: Callable[[TrainerMessage | None], None]) -> None:
        self._fd = fd
        self._on_message = on_message
        self._thread = threading.Thread(target=self._read, name="trainer-messages", daemon=True)
        self._thread.start()

    def join(self, timeout: float) -> bool:
        """Whether the pipe's end was reached within `timeout` seconds."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _read(self) -> None:
        for line in lines(lambda: os.read(self._fd, _CHUNK)):
            self._on_message(parse(line))
        os.close(self._fd)
        self._on_message(None)


class ControlWriter:
    """Sends controls; to a trainer that has ended, or reads nothing, they are dropped."""

    def __init__(self, fd: int) -> None:
        os.set_blocking(fd, False)
        self._fd = fd

    def send(self, control: ControlMessage) -> bool:
        """Whether it was put into the pipe."""
        try:
            os.write(self._fd, control.model_dump_json().encode() + b"\n")
        except (BrokenPipeError, BlockingIOError):
            return False
        return True

    def close(self) -> None:
        os.close(self._fd)


def _reason(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}".lstrip(": ")
