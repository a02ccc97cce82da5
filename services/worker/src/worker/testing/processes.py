"""Starting real trainer processes in tests, and polling with a deadline."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from kargah.contracts import runs
from worker.agent.child import Child, Start
from worker.agent.zygote_client import ZygoteCommand

ENTRY = "worker.testing.scripted_trainer:run"
PRELOAD = "worker.testing.scripted_trainer:preload"
DEADLINE = 60.0
_LOOK_SECONDS = 0.02
Value = TypeVar("Value")


def poll(get: Callable[[], Value | None], what: str, seconds: float = DEADLINE) -> Value:
    """The first value that is not None; fails the test when none comes in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = get()
        if value is not None:
            return value
        time.sleep(_LOOK_SECONDS)
    raise AssertionError(f"{what}: not within {seconds:g} s")


def until(condition: Callable[[], bool], what: str, seconds: float = DEADLINE) -> None:
    """Wait for `condition`; fails the test when it does not come true in time."""
    poll(lambda: True if condition() else None, what, seconds)


def alive(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def command(env: Mapping[str, str], folder: Path, preload: str = PRELOAD, entry: str = ENTRY) -> ZygoteCommand:
    return ZygoteCommand(env=env, log_path=folder / "zygote.log", preload=preload, entry=entry)


@dataclass
class Trial:
    """One run of a scripted trainer, with the test's ends of both pipes."""

    child: Child
    messages_fd: int
    control_fd: int
    log_path: Path

    def exit_status(self) -> int:
        return poll(self.child.poll, "the trainer's exit")

    def messages(self) -> list[runs.TrainerMessage]:
        """Everything until the trainer closes its end."""
        data = b""
        while chunk := os.read(self.messages_fd, 65536):
            data += chunk
        return [runs.trainer_message.validate_json(line) for line in data.splitlines()]

    def events(self) -> dict[str, dict[str, Any]]:
        return {message.name: message.data for message in self.messages() if isinstance(message, runs.EventMessage)}

    def control(self, action: str) -> None:
        os.write(self.control_fd, json.dumps({"type": "control", "action": action}).encode() + b"\n")


def start_trial(folder: Path, run: str, start: Callable[[Start], Child], **params: Any) -> Trial:
    """Run the scripted trainer on `params` in `folder / run`."""
    work = folder / run
    work.mkdir()
    spec = runs.RunSpec(
        job_id=run, generation=1, recipe="r", params=params, work_dir=str(work), cache_dir=str(folder / "cache")
    )
    (work / "spec.json").write_text(spec.model_dump_json())
    control_read, control_write = os.pipe()
    messages_read, messages_write = os.pipe()
    try:
        child = start(Start(run, work / "spec.json", work / "trainer.log", control_read, messages_write))
    finally:
        os.close(control_read)
        os.close(messages_write)
    return Trial(child, messages_read, control_write, work / "trainer.log")


def end_trial(trial: Trial) -> None:
    trial.child.release()
    os.close(trial.messages_fd)
    os.close(trial.control_fd)
