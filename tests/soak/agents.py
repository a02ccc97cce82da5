"""The campaign's worker agents: which job each has in hand, which process trains, and their revival after a death."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from kargah.embedded.process import Command, ManagedProcess
from tests.soak.proxy import FaultProxy

_TRAINING = ("worker.zygote.main", "worker.zygote.cold")
_LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Hold:
    """A job that an agent works on, and the attempt's number."""

    job_id: str
    generation: int


@dataclass
class Agent:
    """One worker. `lock` is held by whatever fault has it in hand; `amqp` and `database` are its own network; `ended`
    are exit statuses of its earlier lives."""

    name: str
    role: str
    command: Command
    work_root: Path
    amqp: FaultProxy
    database: FaultProxy
    process: ManagedProcess | None = None
    ended: list[int | None] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def pid(self) -> int:
        assert self.process is not None, "the agent was not started"
        return self.process.pid

    def hold(self) -> Hold | None:
        """The attempt under way, by its folder: that lives exactly as long, unless an earlier life left it behind."""
        with suppress(OSError, psutil.Error):
            born = psutil.Process(self.pid).create_time()
            for folder in self.work_root.iterdir():
                job_id, _, generation = folder.name.rpartition("-")
                mine = (folder / ".lock").stat().st_mtime > born
                if generation.isdecimal() and mine and running(self.pid):
                    return Hold(job_id, int(generation))
        return None

    def zygote(self) -> psutil.Process | None:
        """The process that trainers are forked from."""
        return next(iter(self._children(self.pid, _TRAINING[0])), None)

    def trainer(self) -> psutil.Process | None:
        """The process that trains now: the zygote's child, or one that was started cold."""
        if self.process is None:
            return None
        zygote = self.zygote()
        forked = self._children(zygote.pid) if zygote is not None else []
        found = forked or self._children(self.pid, _TRAINING[1])
        return next((child for child in found if running(child.pid)), None)

    @staticmethod
    def _children(pid: int, module: str = "") -> list[psutil.Process]:
        try:
            children = _children_of(pid)
            return [child for child in children if not module or module in child.cmdline()]
        except psutil.Error:
            return []


def _children_of(pid: int) -> list[psutil.Process]:
    """As the kernel lists them, where it does: looking through all processes, so often, would slow the campaign."""
    try:
        lists = [(task / "children").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return psutil.Process(pid).children()
    return [psutil.Process(int(child)) for child in " ".join(lists).split()]


def running(pid: int) -> bool:
    """Whether the process exists and is neither dead nor stopped."""
    try:
        return psutil.Process(pid).status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD, psutil.STATUS_STOPPED)
    except psutil.Error:
        return False


def send(process: psutil.Process, number: signal.Signals) -> bool:
    """Signal the process itself, never one that has its number by now; whether it was there."""
    try:
        process.send_signal(number)
    except psutil.Error:
        return False
    return True


class AgentKeeper:
    """The thread that all agents are started from: it starts again at once whoever has died.

    `expected` are names of agents that the campaign killed; the death of another is noted in `fallen`.
    """

    def __init__(self, agents: Sequence[Agent]) -> None:
        self.agents = agents
        self.expected: set[str] = set()
        self.fallen: list[str] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="agents", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Kill all agents and end."""
        self._stopped.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._stopped.wait(_LOOK_SECONDS):
            for agent in self.agents:
                if agent.process is None or not agent.process.alive():
                    self._start(agent)
        for agent in self.agents:
            if agent.process is not None:
                with suppress(ProcessLookupError):
                    os.kill(agent.pid, signal.SIGCONT)
                agent.process.kill()

    def _start(self, agent: Agent) -> None:
        if agent.process is not None:
            agent.ended.append(agent.process.exit_status)
        if agent.process is not None and agent.name not in self.expected:
            status = agent.process.exit_status
            told = agent.process.log_tail().splitlines()[-12:]
            self.fallen.append(f"{agent.name} ended with status {status} at {time.time():.1f}: " + "\n".join(told))
        self.expected.discard(agent.name)
        agent.process = ManagedProcess(agent.command)
