"""Does what the plan says, as soon as there is a victim, and writes down what was really done."""

from __future__ import annotations

import signal
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import psutil

from tests.soak.agents import Agent, Hold, running, send
from tests.soak.books import Books
from tests.soak.mutilate import Damage, Mutilator
from tests.soak.outages import cut_amqp, fail_s3, purge_queue
from tests.soak.plan import Fault
from tests.soak.stack import Stack

_LOOK_SECONDS = 0.03
_OTHER_VICTIM_SECONDS = 3.0


@dataclass(frozen=True)
class Done:
    """A fault that happened: `at` is the wall clock's time, `ended` for those that last."""

    kind: str
    at: float
    agent: str | None = None
    job_id: str | None = None
    generation: int | None = None
    ended: float | None = None
    detail: dict[str, Any] = field(default_factory=dict)


class Injector:
    """A thread per lane. `done` grows while it runs; `damages` pair each mutilated checkpoint with its time."""

    def __init__(self, stack: Stack, books: Books, faults: Sequence[Fault], seconds: float) -> None:
        self._stack = stack
        self._books = books
        self._mutilator = Mutilator(stack.servers.store.client(), books)
        self._began = time.monotonic()
        self._end = self._began + seconds
        self._lanes = [
            threading.Thread(target=self._lane, name=lane, args=([one for one in faults if one.lane == lane],))
            for lane in sorted({fault.lane for fault in faults})
        ]
        self.done: list[Done] = []
        self.damages: list[tuple[float, Damage]] = []
        self.errors: list[str] = []

    def start(self) -> None:
        self._began = time.monotonic()
        for thread in self._lanes:
            thread.start()

    def busy(self) -> bool:
        """Whether any lane still has something to do."""
        return any(thread.is_alive() for thread in self._lanes)

    def join(self) -> None:
        for thread in self._lanes:
            thread.join()

    def counts(self) -> Counter[str]:
        """Faults done, by kind."""
        return Counter(done.kind for done in self.done) + Counter({"mutilate checkpoint": len(self.damages)})

    def _lane(self, faults: Sequence[Fault]) -> None:
        for fault in faults:
            time.sleep(max(0.0, min(self._began + fault.at, self._end) - time.monotonic()))
            if time.monotonic() >= self._end:
                return
            try:
                self._do(fault)
            except Exception:  # a lane's edge: a fault that failed is told, and the campaign is not ended by it
                self.errors.append(f"{fault.kind}: {traceback.format_exc()}")

    def _do(self, fault: Fault) -> None:
        stack, detail = self._stack, fault.detail
        match fault.kind:
            case "kill trainer" | "kill agent":
                self._kill(fault)
            case "zombie":
                self._until_done(lambda: self._zombie(fault))
            case "partition":
                self._until_done(lambda: self._partition(fault))
            case "cut AMQP":
                self._until_done(lambda: self._timed(fault, lambda: cut_amqp(stack, fault.pick, **detail)))
            case "purge queue":
                self._timed(fault, lambda: purge_queue(stack.servers))
            case "restart broker":
                self._timed(fault, lambda: stack.servers.restart_broker(**detail))
            case "restart Postgres":
                self._timed(fault, lambda: stack.servers.restart_postgres(**detail))
            case "S3 fails":
                self._timed(fault, lambda: fail_s3(stack.servers.s3, **detail))

    def _timed(self, fault: Fault, work: Callable[[], Any]) -> bool:
        """Note the fault unless `work` says False."""
        began = time.time()
        if work() is False:
            return False
        self.done.append(Done(fault.kind, began, ended=time.time(), detail=fault.detail))
        return True

    def _until_done(self, attempt: Callable[[], bool]) -> None:
        while time.monotonic() < self._end and not attempt():
            time.sleep(_LOOK_SECONDS)

    def _kill(self, fault: Fault) -> None:
        """A victim without a checkpoint to be mutilated is let off for a while, then killed all the same."""
        patient_until = time.monotonic() + _OTHER_VICTIM_SECONDS
        self._until_done(lambda: self._try_kill(fault, insist=time.monotonic() < patient_until))

    def _try_kill(self, fault: Fault, insist: bool) -> bool:
        for agent, hold in self._victims(fault.pick):
            trainer = agent.trainer()
            victim = trainer if fault.kind == "kill trainer" else psutil.Process(agent.pid)
            if victim is None or not running(victim.pid):
                continue
            hurt = self._mutilate(hold, fault)
            if fault.detail and insist and not hurt:
                continue
            if self._kill_now(fault.kind, agent, hold, victim):
                return True
        return False

    def _kill_now(self, kind: str, agent: Agent, hold: Hold, victim: psutil.Process) -> bool:
        """Counts only when the process ran and its job was still under way."""
        if agent.hold() != hold or not running(victim.pid):
            return False
        if kind == "kill agent":
            self._stack.keeper.expected.add(agent.name)
        at = time.time()
        if not send(victim, signal.SIGKILL):
            return False
        self.done.append(Done(kind, at, agent.name, hold.job_id, hold.generation))
        return True

    def _mutilate(self, hold: Hold, fault: Fault) -> bool:
        if not fault.detail:
            return False
        damages = self._mutilator.hurt_newest(hold.job_id, pick=fault.pick, **fault.detail)
        self.damages += [(time.time(), damage) for damage in damages]
        return bool(damages)

    def _zombie(self, fault: Fault) -> bool:
        """Stop an agent and its trainer until the job is no longer theirs, then let both go on."""
        for agent, hold in self._victims(fault.pick):
            trainer = agent.trainer()
            if trainer is None:
                continue
            stopped = [psutil.Process(agent.pid), trainer][: 2 if fault.detail["both"] else 1]
            began = time.time()
            for process in stopped:
                send(process, signal.SIGSTOP)
            lost = self._wait_for_loss(hold)
            time.sleep(fault.detail["longer"] if lost else 0)
            for process in reversed(stopped) if fault.detail["trainer_first"] else stopped:
                send(process, signal.SIGCONT)
            if lost:
                self.done.append(Done("zombie", began, agent.name, hold.job_id, hold.generation, time.time()))
            return lost
        return False

    def _partition(self, fault: Fault) -> bool:
        """Hold back all that an agent and the database say to each other until its lease is over."""
        for agent, hold in self._victims(fault.pick):
            began = time.time()
            agent.database.set_mode("stall")
            try:
                lost = self._wait_for_loss(hold)
                time.sleep(fault.detail["longer"] if lost else 0)
            finally:
                agent.database.set_mode("pass")
            if lost:
                self.done.append(Done("partition", began, agent.name, hold.job_id, hold.generation, time.time()))
            return lost
        return False

    def _wait_for_loss(self, hold: Hold) -> bool:
        """Whether the attempt loses its job in time; it may have ended by itself just before."""
        deadline = time.monotonic() + 10.0
        while time.monotonic() < deadline:
            ended = self._books.rows(
                "SELECT outcome FROM gateway.attempts WHERE job_id = %s AND generation = %s AND ended_at IS NOT NULL",
                [hold.job_id, hold.generation],
            )
            if ended:
                return bool(ended[0][0] == "lost")
            time.sleep(0.1)
        return False

    def _victims(self, pick: float) -> Iterator[tuple[Agent, Hold]]:
        """Agents with a job in hand that no other fault is busy with, beginning at `pick`; each is locked meanwhile."""
        agents = self._stack.agents
        first = int(pick * len(agents))
        for agent in agents[first:] + agents[:first]:
            with _locked(agent) as mine:
                hold = agent.hold() if mine and agent.process is not None else None
                if hold is not None:
                    yield agent, hold

    def as_json(self) -> list[dict[str, Any]]:
        """All that was done, by time."""
        damages = [{"kind": "mutilate checkpoint", "at": at, **asdict(damage)} for at, damage in self.damages]
        return sorted([asdict(done) for done in self.done] + damages, key=lambda one: one["at"])


@contextmanager
def _locked(agent: Agent) -> Iterator[bool]:
    mine = agent.lock.acquire(blocking=False)
    try:
        yield mine
    finally:
        if mine:
            agent.lock.release()
