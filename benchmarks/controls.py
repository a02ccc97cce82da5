"""How fast controls are: acknowledged, the device freed, the job going on elsewhere. Two workers share the machine.

The "peer" of each row is what the platform promises; a ratio above 1 keeps it.
"""

from __future__ import annotations

import os
import signal
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.report import Row
from benchmarks.training_throughput import prepare
from kargah import Client
from kargah.contracts.jobs import JobView
from kargah.domain.job_state import Status
from kargah.embedded.ports import free_port
from kargah.embedded.stack import Stack

_ROWS = 400
_TRIES = 5
_PARAMS = {"method": "full", "epochs": 100, "batch_size": 4, "learning_rate": 1e-4, "eval_fraction": 0, "seed": 1}
_OF_WORKER = {"embedded": "worker", "embedded-2": "worker-2"}
_PROMISE = "promised"


def rows() -> list[Row]:
    """Acknowledgements, pause, resume on another worker, and the take-over from a killed one."""
    with tempfile.TemporaryDirectory(prefix="kargah-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        prepare(folder, _ROWS)
        stack = Stack(folder / "data", free_port(), workers=2)
        stack.start()
        try:
            with Client(stack.url) as client:
                client.models.install_folder(folder / "model", "bench")
                client.datasets.upload(folder / "train.jsonl", name="bench", format="text")
                return _measure(client, stack)
        finally:
            stack.stop()


def _measure(client: Client, stack: Stack) -> list[Row]:
    job = _under_way(client, _submit(client), 2)
    rounds = [_round(client, stack, job.id) for _ in range(_TRIES)]
    acknowledged = [seconds for one in rounds for seconds in one.acknowledged]
    drained, moved = _drain_and_move(client, stack, job)
    taken_over = _kill_and_take_over(client, stack, job)
    client.jobs.control(job.id, "cancel")
    return [
        _row("a control is acknowledged, slowest", max(acknowledged), 1.0, f"{len(acknowledged)} calls"),
        _row("pause: the trainer has saved and is gone", statistics.median(one.freed for one in rounds), 5.0),
        _row("pause: the job is paused", statistics.median(one.paused for one in rounds), 5.0),
        _row("resume to the next step", statistics.median(one.resumed for one in rounds), 10.0),
        _row("SIGTERM: the worker has saved, given back and ended", drained, 15.0),
        _row("resume to the next step on another worker", moved, 10.0),
        _row("kill -9 of the worker to the next step on another", taken_over, 20.0, "default lease of 15 s"),
    ]


@dataclass(frozen=True)
class _Round:
    """Seconds: of each control's answer; from the pause until no trainer ran and until the job was paused; from the
    resume to the next step."""

    acknowledged: list[float]
    freed: float
    paused: float
    resumed: float


def _round(client: Client, stack: Stack, job_id: str) -> _Round:
    job = client.jobs.get(job_id)
    worker = stack.pid(_OF_WORKER[job.worker or ""])
    saved = _timed(lambda: client.jobs.control(job_id, "checkpoint"))
    began = time.perf_counter()
    asked = _timed(lambda: client.jobs.control(job_id, "pause"))
    freed = _until(lambda: not _trains(worker), began)
    paused = _until(lambda: client.jobs.get(job_id).status is Status.PAUSED, began)
    step, began = client.jobs.get(job_id).progress.step or 0, time.perf_counter()
    resumed = _timed(lambda: client.jobs.resume(job_id))
    _under_way(client, job, step + 1)
    return _Round([saved, asked, resumed], freed, paused, time.perf_counter() - began)


def _drain_and_move(client: Client, stack: Stack, job: JobView) -> tuple[float, float]:
    """Pause the job, end its worker for good, resume: another worker must take it."""
    job = client.jobs.get(job.id)
    name = _OF_WORKER[job.worker or ""]
    began = time.perf_counter()
    os.kill(stack.pid(name), signal.SIGTERM)
    drained = _until(lambda: not _runs(stack.pid(name)), began)
    _until(lambda: client.jobs.get(job.id).worker not in (None, job.worker), began)
    _under_way(client, job, (job.progress.step or 0) + 1)
    client.jobs.control(job.id, "pause")
    _until(lambda: client.jobs.get(job.id).status is Status.PAUSED, began)
    stack.revive()
    _until(lambda: len([one for one in client.queue.workers().items if one.alive]) == 2, began)
    os.kill(stack.pid(next(other for other in _OF_WORKER.values() if other != name)), signal.SIGTERM)
    step, began = client.jobs.get(job.id).progress.step or 0, time.perf_counter()
    client.jobs.resume(job.id)
    _under_way(client, job, step + 1)
    return drained, time.perf_counter() - began


def _kill_and_take_over(client: Client, stack: Stack, job: JobView) -> float:
    stack.revive()
    began = time.perf_counter()
    _until(lambda: len([one for one in client.queue.workers().items if one.alive]) == 2, began)
    job = client.jobs.get(job.id)
    attempt, began = job.attempt, time.perf_counter()
    os.kill(stack.pid(_OF_WORKER[job.worker or ""]), signal.SIGKILL)

    def goes_on() -> bool:
        attempts = client.jobs.attempts(job.id).items
        newest = attempts[0]
        step = client.jobs.get(job.id).progress.step or 0
        return newest.attempt > attempt and newest.resumed_step is not None and step > newest.resumed_step

    return _until(goes_on, began)


def _submit(client: Client) -> JobView:
    return client.jobs.submit("bench", {"baseModel": "bench", "dataset": "bench", "outputModel": "out", **_PARAMS})


def _under_way(client: Client, job: JobView, step: int) -> JobView:
    """Once a worker trains it and has finished `step`."""
    began = time.perf_counter()
    _until(lambda: _at(client.jobs.get(job.id), step), began)
    return client.jobs.get(job.id)


def _at(job: JobView, step: int) -> bool:
    if job.status in (Status.ERROR, Status.CANCELLED, Status.COMPLETED):
        raise RuntimeError(f"{job.id} ended in {job.status}: {job.error}")
    return job.status is Status.TRAINING and (job.progress.step or 0) >= step


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _until(condition: Callable[[], bool], began: float, seconds: float = 120.0) -> float:
    """Seconds from `began` until `condition` holds."""
    while not condition():
        if time.perf_counter() - began > seconds:
            raise TimeoutError("what was waited for did not happen")
        time.sleep(0.02)
    return time.perf_counter() - began


def _trains(worker: int) -> bool:
    """Whether a trainer runs below the agent: its zygote's children."""
    return any(len(child.children()) > 0 for child in psutil.Process(worker).children())


def _runs(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def _row(what: str, ours: float, promised: float, note: str = "") -> Row:
    return Row("controls", what, "s", ours, _PROMISE, promised, promised / ours, 1.0, note)
