"""Writes snapshots beside the training, and hands them over once every byte is on the disk."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from threading import Thread
from typing import Literal

from kargah.contracts.runs import CheckpointMessage
from worker.trainer.artifacts import settle
from worker.trainer.checkpoint import Snapshot
from worker.trainer.context import RunContext
from worker.trainer.errors import AgentGone, TrainingError

Reason = Literal["interval", "epoch", "requested", "pause", "stop", "drain", "final"]

_COST_SHARE = 100
_PATIENCE = 10


class CheckpointWriter:
    """One checkpoint at a time. Those by time come at least `seconds` apart, and so rarely that they cost 1 %."""

    def __init__(self, context: RunContext, seconds: float) -> None:
        self._context = context
        self._folder = Path(context.spec.work_dir) / "checkpoints"
        self._seconds = seconds
        self._thread: Thread | None = None
        self._error: OSError | AgentGone | None = None
        self._last: Path | None = None
        self._last_time = time.monotonic()
        self._cost = 0.0

    def due(self) -> bool:
        """Whether it is time for the next one, and the last has been written and taken away by the agent."""
        if self._seconds == 0 or self._busy():
            return False
        interval = max(self._seconds, _COST_SHARE * self._cost)
        elapsed = time.monotonic() - self._last_time
        waiting = self._last is not None and self._last.exists()
        return elapsed >= interval * (_PATIENCE if waiting else 1)

    def write(self, snapshot: Snapshot, epoch: float, reason: Reason) -> None:
        """Start writing. Waits for the one before."""
        self.settle()
        self._last_time = time.monotonic()
        step = snapshot.state.step
        self._last = self._fresh(step)
        message = CheckpointMessage(
            directory=str(self._last), step=step, epoch=epoch, reason=reason, files=[], metrics=snapshot.state.latest
        )
        self._thread = Thread(target=self._run, args=(snapshot, message), name="checkpoint", daemon=True)
        self._thread.start()

    def settle(self) -> None:
        """Until the last one is handed over; tells it when that failed, as training can go on without it."""
        try:
            self.wait()
        except TrainingError as error:
            told = {"code": error.code, "message": error.message, "hint": error.hint}
            self._context.event("checkpoint_failed", told)
            self._context.log(str(error), "warning")

    def wait(self) -> None:
        """Until the last one is handed over; raises TrainingError when it could not be written."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        error, self._error = self._error, None
        if isinstance(error, AgentGone):
            raise error
        if error is not None:
            raise TrainingError(
                "disk_full",
                f"A checkpoint could not be written: {error}",
                "Make room in the worker's data folder; earlier checkpoints are intact.",
                permanent=False,
            ) from error

    def _busy(self) -> bool:
        if self._thread is not None and not self._thread.is_alive():
            self.settle()
        return self._thread is not None

    def _fresh(self, step: int) -> Path:
        """A folder that does not exist: a step may be saved twice, by time and again at a pause."""
        path, number = self._folder / str(step), 1
        while path.exists():
            number += 1
            path = self._folder / f"{step}.{number}"
        return path

    def _run(self, snapshot: Snapshot, message: CheckpointMessage) -> None:
        folder = Path(message.directory)
        try:
            snapshot.write(folder)
            files = settle(folder)
            self._context.checkpoint(message.model_copy(update={"files": files}))
        except (OSError, AgentGone) as error:
            self._error = error
            shutil.rmtree(folder, ignore_errors=True)
        self._cost = snapshot.seconds + time.thread_time() / max(1, os.cpu_count() or 1)
