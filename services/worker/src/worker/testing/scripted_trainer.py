"""A test peer: a trainer that does what `params["script"]` says, as a real child process over the real protocol."""

from __future__ import annotations

import hashlib
import json
import os
import select
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from kargah.contracts import runs


def preload() -> None:
    """Nothing heavy to import."""


def failing_preload() -> None:
    raise ImportError("no such wheel")


class Talk:
    """The trainer's end of both pipes."""

    def __init__(self, spec: runs.RunSpec, read_fd: int, write_fd: int) -> None:
        self.spec = spec
        self._read_fd = read_fd
        self._write_fd = write_fd
        self._buffer = b""

    def say(self, message: runs.Message) -> None:
        self.raw(message.model_dump_json().encode() + b"\n")

    def raw(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._write_fd, data) :]

    def heard(self, timeout: float) -> str | None:
        """The next control's action, None at the timeout; ends the process when the agent is gone."""
        while b"\n" not in self._buffer:
            readable, _, _ = select.select([self._read_fd], [], [], timeout)
            if not readable:
                return None
            data = os.read(self._read_fd, 4096)
            if not data:
                os._exit(3)
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return runs.ControlMessage.model_validate_json(line).action

    def files(self, name: str, contents: dict[str, bytes]) -> tuple[str, list[runs.FileEntry]]:
        folder = Path(self.spec.work_dir) / name
        entries = []
        for path, data in contents.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
            digest = hashlib.sha256(data).hexdigest()
            entries.append(runs.FileEntry(path=path, size_bytes=len(data), sha256=digest))
        return str(folder), entries

    def checkpoint(self, step: int, reason: Any) -> None:
        state = json.dumps({"step": step}).encode()
        weights = b"w" * int(self.spec.params.get("weight_bytes", 1000)) + state
        contents = {"state.json": state, "weights/model.safetensors": weights}
        directory, files = self.files(f"checkpoint-{step}", contents)
        metrics = {"eval_loss": float(self.spec.params.get("eval_loss", {}).get(str(step), 1.0))}
        self.say(
            runs.CheckpointMessage(
                directory=directory, step=step, epoch=step / 10, reason=reason, files=files, metrics=metrics
            )
        )

    def output(self) -> None:
        contents = {"config.json": b"{}", "model.safetensors": self.spec.job_id.encode() * 10}
        directory, files = self.files("output", contents)
        self.say(runs.OutputMessage(directory=directory, files=files, metrics={"eval_loss": 0.5}))


def run(spec: runs.RunSpec, read_fd: int, write_fd: int) -> int:
    """Dispatch on the script's name; the exit code."""
    talk = Talk(spec, read_fd, write_fd)
    scripts = {
        "exit": _exit,
        "crash": _crash,
        "die": _die,
        "hang": _hang,
        "forker": _forker,
        "report": _report,
        "fail": _fail,
        "garbage": _garbage,
        "train": _train,
        "stray": _stray,
        "raise": _raise,
    }
    return scripts[spec.params.get("script", "train")](talk)


def _exit(talk: Talk) -> int:
    return int(talk.spec.params.get("code", 0))


def _crash(talk: Talk) -> int:
    print("the last words", file=sys.stderr, flush=True)
    return 5


def _raise(talk: Talk) -> int:
    raise RuntimeError("boom in the trainer")


def _die(talk: Talk) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def _hang(talk: Talk) -> int:
    talk.say(runs.PhaseMessage(phase="training"))
    talk.say(runs.EventMessage(name="trainer", data={"pid": os.getpid(), "from": 0}))
    while True:
        time.sleep(3600)


def _forker(talk: Talk) -> int:
    """A descendant in the same group that would outlive the trainer."""
    child = os.fork()
    if child == 0:
        while True:
            time.sleep(3600)
    talk.say(runs.EventMessage(name="descendant", data={"pid": child}))
    return 0


def _report(talk: Talk) -> int:
    """Tell what this process looks like from inside."""
    import random

    data = {
        "pid": os.getpid(),
        "parent": os.getppid(),
        "session": os.getsid(0),
        "env": Path("/proc/self/environ").read_text().split("\0"),
        "random": random.random(),
        "term_is_default": signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
        "blocked": [int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, ())],
        "fds": sorted(int(name) for name in os.listdir("/proc/self/fd")),
        "threads": threading.active_count(),
    }
    talk.say(runs.EventMessage(name="report", data=data))
    print("on standard output", flush=True)
    return 0


def _fail(talk: Talk) -> int:
    permanent = bool(talk.spec.params.get("permanent", True))
    talk.say(runs.FailedMessage(code="nan_loss", message="the loss is NaN", hint="lower it", permanent=permanent))
    return 1


def _stray(talk: Talk) -> int:
    """Hand over a folder that is somebody else's, and wait to be ended."""
    directory = str(talk.spec.params["directory"])
    talk.say(runs.CheckpointMessage(directory=directory, step=1, epoch=0.1, reason="interval", files=[]))
    return _hang(talk)


def _garbage(talk: Talk) -> int:
    talk.raw(b"not json\n" + b'{"type":"unknown"}\n' + b"\xff\xfe\n" + b"\n")
    return _train(talk)


def _train(talk: Talk) -> int:
    """Steps with metrics, checkpoints every `every` steps; obeys controls; resumes from the checkpoint's step.

    A step takes `pace` seconds, after a checkpoint was resumed from `resumed_pace`, if that is given."""
    params = talk.spec.params
    total, pace, every = int(params.get("steps", 5)), float(params.get("pace", 0.0)), int(params.get("every", 2))
    step = _resume_step(talk.spec)
    if talk.spec.resume_dir is not None:
        pace = float(params.get("resumed_pace", pace))
    talk.say(runs.EventMessage(name="trainer", data={"pid": os.getpid(), "from": step}))
    talk.say(runs.PhaseMessage(phase="training"))
    while step < total:
        step += 1
        _one_step(talk, step, total)
        action = talk.heard(pace)
        if action in ("pause", "drain"):
            talk.checkpoint(step, action)
            talk.say(runs.DoneMessage(outcome="paused" if action == "pause" else "drained"))
            return 0
        if action == "stop":
            return _end(talk, "stopped")
        if action == "checkpoint" or step % every == 0:
            talk.checkpoint(step, "requested" if action else "interval")
        if params.get("die_at") == step and talk.spec.generation == 1:
            time.sleep(float(params.get("die_after", 0)))
            os.kill(os.getpid(), signal.SIGKILL)
    return _end(talk, "finished")


def _one_step(talk: Talk, step: int, total: int) -> None:
    values = {"loss": 10.0 / step, "learning_rate": 0.001, "tokens_per_second": 100.0}
    talk.say(runs.MetricsMessage(step=step, epoch=step / total, values=values))
    talk.say(runs.ProgressMessage(percent=100 * step / total, step=step, total_steps=total, eta_seconds=1.0))
    talk.say(runs.LogMessage(message=f"step {step} of generation {talk.spec.generation}"))


def _resume_step(spec: runs.RunSpec) -> int:
    if spec.resume_dir is None:
        return 0
    return int(json.loads((Path(spec.resume_dir) / "state.json").read_text())["step"])


def _end(talk: Talk, outcome: Any) -> int:
    talk.say(runs.PhaseMessage(phase="saving"))
    talk.output()
    talk.say(runs.DoneMessage(outcome=outcome))
    return 0
