"""How a run ended: from a trainer's last words and its exit status to what the job store is told."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Literal

from kargah.contracts.jobs import JobError
from kargah.contracts.runs import DoneMessage, FailedMessage, OutputMessage
from kargah.domain.job_state import Cause

_TAIL_LINES = 15


@dataclass(frozen=True)
class Finished:
    """The result lies on disk, to be registered."""

    output: OutputMessage
    outcome: Literal["finished", "stopped"]


@dataclass(frozen=True)
class Paused:
    """The user wanted it so; the checkpoint, if there was anything to save, was handed over."""


@dataclass(frozen=True)
class GivenBack:
    """Back into the queue, not counted as a failure: this worker ends, or something it needs is away."""

    reason: str
    cause: Cause
    back_off: bool = False


@dataclass(frozen=True)
class Failed:
    """A fault of the attempt."""

    error: JobError


Ending = Finished | Paused | GivenBack | Failed


class Over(Exception):
    """Raised out of whatever was going on, when an attempt ends early with `ending`."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(type(ending).__name__)
        self.ending = ending


@dataclass(frozen=True)
class LastWords:
    """What a trainer said before it ended, its exit status, and the end of its own log."""

    last: DoneMessage | FailedMessage | None
    output: OutputMessage | None
    status: int
    log_tail: str


def judge(words: LastWords) -> Ending:
    """What to make of a trainer that ended by itself."""
    if isinstance(words.last, FailedMessage):
        return Failed(JobError(**words.last.model_dump(exclude={"type"})))
    if words.last is None:
        return Failed(_crash(words))
    match words.last.outcome:
        case "paused":
            return Paused()
        case "drained":
            return GivenBack("the worker is shutting down", Cause.SHUTTING_DOWN)
        case "finished" | "stopped" as outcome if words.output is not None:
            return Finished(words.output, outcome)
    return Failed(JobError(code="no_output", message="The trainer ended well without a result.", permanent=False))


def hung(phase: str, seconds: float) -> Failed:
    """Killed for saying nothing."""
    message = f"The trainer gave no sign of life for {seconds:.0f} s while {phase}."
    return Failed(JobError(code="hung", message=message, hint="It was killed.", permanent=False))


def foreign_folder(directory: str) -> Failed:
    """It named a folder that is not its own: neither uploaded nor removed."""
    message = f"The trainer handed over {directory}, which is outside of its folder."
    return Failed(JobError(code="foreign_folder", message=message, permanent=True))


def _crash(words: LastWords) -> JobError:
    tail = "\n".join(words.log_tail.splitlines()[-_TAIL_LINES:])
    message = f"The trainer {_how(words.status)}." + (f" Its last output:\n{tail}" if tail else "")
    return JobError(code="trainer_crashed", message=message, hint=_hint(words.status), permanent=False)


def _how(status: int) -> str:
    if status >= 0:
        return f"exited with code {status} without a last message"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"


def _hint(status: int) -> str | None:
    if status == -signal.SIGKILL:
        return "Usually the machine ran out of memory: a smaller batch, a shorter sequence or LoRA needs less."
    return None
