"""`python -m tests.soak.interruptions --times 50 --seed 1`: one job, interrupted that often, against the same one left
alone: every loss and the final weights must be equal to the bit."""

from __future__ import annotations

import argparse
import json
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
from rich.console import Console
from rich.table import Table

from tests.soak.agents import Agent, Hold, send
from tests.soak.books import Books
from tests.soak.breakage import WHOLE
from tests.soak.campaign import open_books
from tests.soak.evidence import gather
from tests.soak.ledger import ZEROS, Account, Ledger, draw_up
from tests.soak.options import ROOT, Options
from tests.soak.reference import Reference, references, wait_for_recipes
from tests.soak.servers import running_servers
from tests.soak.stack import Stack, running_services
from tests.soak.workload import Submitter, Training, install_inputs, install_llama

_KINDS = {"kill -9 trainer": 9, "kill -9 agent": 3, "pause and resume": 4, "SIGTERM agent": 4}
_DEADLINE_SECONDS = 120.0
_LOOK_SECONDS = 0.02
_MODEL = {"hidden_size": 128, "intermediate_size": 384, "num_hidden_layers": 4, "attention_dropout": 0.2}
_PARAMS = {"method": "full", "batch_size": 8, "gradient_accumulation": 2, "checkpoint_steps": 5}
TRAINING = Training("interrupted", "llama-interrupted", "questions", "sft", _PARAMS)


@dataclass(frozen=True)
class Interruption:
    """`gap` seconds after a trainer is there, or, with an `after`, after a new attempt has stored that step."""

    kind: str
    after: int | None
    gap: float


@dataclass(frozen=True)
class Happened:
    """An interruption as it came to be: which attempt it met, and the last step stored by then."""

    kind: str
    generation: int
    step: int
    seconds: float


def plan(times: int, seed: int, steps: int) -> list[Interruption]:
    """Half of them while an attempt begins, the others all along the job, which still has a bit to go then."""
    rng = random.Random(seed)
    kinds = rng.choices(list(_KINDS), weights=list(_KINDS.values()), k=times)
    found = []
    for number, kind in enumerate(kinds):
        early = rng.random() < 0.5
        found.append(Interruption(kind, None if early else number * steps // (times + 5), rng.uniform(0, 0.5)))
    return found


class Interrupter:
    """Interrupts one job as planned."""

    def __init__(self, stack: Stack, books: Books, job_id: str, console: Console) -> None:
        self._stack = stack
        self._books = books
        self._job_id = job_id
        self._console = console
        self.happened: list[Happened] = []
        self._last = 0

    def run(self, interruptions: list[Interruption]) -> None:
        """All of them, or until the job ends."""
        for number, interruption in enumerate(interruptions, start=1):
            found = self._wait_for_attempt(interruption)
            if found is None:
                return
            began = time.monotonic()
            self._interrupt(interruption.kind, *found)
            seconds = round(time.monotonic() - began, 2)
            step = self._step()
            self._last = found[1].generation
            self.happened.append(Happened(interruption.kind, found[1].generation, step, seconds))
            self._console.print(f"{number:3} {interruption.kind} at step {step}", highlight=False)

    def wait_for_end(self) -> str:
        """The job's status when it has ended."""
        return self._until(lambda: self._status() if self._status() in ("completed", "error") else None) or "open"

    def _wait_for_attempt(self, interruption: Interruption) -> tuple[Agent, Hold] | None:
        """Whoever has the job in hand, at the planned instant; None when the job has ended."""
        after = interruption.after
        if after is None:
            self._until(lambda: self._over() or ((found := self._holder()) is not None and found[0].trainer()))
        else:
            self._until(lambda: self._over() or (self._newest_attempt() > self._last and self._step() >= after))
        time.sleep(interruption.gap)
        return self._until(lambda: None if self._over() else self._holder()) if not self._over() else None

    def _interrupt(self, kind: str, agent: Agent, hold: Hold) -> None:
        match kind:
            case "kill -9 trainer":
                trainer = self._until(lambda: self._over() or agent.trainer())
                if isinstance(trainer, psutil.Process):
                    send(trainer, signal.SIGKILL)
            case "kill -9 agent":
                self._end(agent, signal.SIGKILL)
            case "SIGTERM agent":
                self._end(agent, signal.SIGTERM)
            case "pause and resume":
                return self._pause_and_resume()
        self._until(lambda: self._over() or self._attempt_ended(hold))

    def _end(self, agent: Agent, number: signal.Signals) -> None:
        before = len(agent.ended)
        self._stack.keeper.expected.add(agent.name)
        send(psutil.Process(agent.pid), number)
        self._until(lambda: len(agent.ended) > before)

    def _pause_and_resume(self) -> None:
        if not self._control("pause"):
            return
        self._until(lambda: self._over() or self._status() == "paused")
        if not self._over():
            self._control("resume")

    def _control(self, action: str) -> bool:
        url = f"{self._stack.gateways[0]}/api/jobs/{self._job_id}/{action}"
        return httpx.post(url, timeout=20.0, trust_env=False).is_success

    def _holder(self) -> tuple[Agent, Hold] | None:
        for agent in self._stack.agents:
            hold = agent.hold()
            if hold is not None and hold.job_id == self._job_id and hold.generation > self._last:
                return agent, hold
        return None

    def _status(self) -> str:
        return str(self._books.rows("SELECT status FROM gateway.jobs WHERE id = %s", [self._job_id])[0][0])

    def _over(self) -> bool:
        return self._status() in ("completed", "error")

    def _step(self) -> int:
        return int(self._newest("step"))

    def _newest_attempt(self) -> int:
        return int(self._newest("generation"))

    def _newest(self, column: str) -> Any:
        query = f"SELECT coalesce(max({column}), 0) FROM soak.points WHERE job_id = %s"
        return self._books.rows(query, [self._job_id])[0][0]

    def _attempt_ended(self, hold: Hold) -> bool:
        query = "SELECT 1 FROM gateway.attempts WHERE job_id = %s AND generation = %s AND ended_at IS NOT NULL"
        return bool(self._books.rows(query, [hold.job_id, hold.generation]))

    @staticmethod
    def _until(look: Callable[[], Any]) -> Any:
        """What `look` gives once it gives something. Raises TimeoutError."""
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while not (found := look()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the job did not go on within {_DEADLINE_SECONDS:g} s")
            time.sleep(_LOOK_SECONDS)
        return found


def run(times: int, seed: int, steps: int, path: Path, console: Console) -> bool:
    """Both runs, the table, the JSON; whether they are equal and all interruptions took place."""
    options = Options(seed=seed, steps=steps, workers=2, gateways=1)
    with (
        running_servers(options) as servers,
        running_services(servers, options, WHOLE) as stack,
        open_books(servers) as books,
    ):
        install_inputs(stack.gateways[0], servers.folder / "inputs")
        install_llama(stack.gateways[0], servers.folder / "larger", TRAINING.model, **_MODEL)
        wait_for_recipes(books)
        submitter = Submitter(stack.gateways, options)
        console.print(f"{steps} steps undisturbed")
        truth = references(submitter, [TRAINING], books, 600.0, lambda _: None)[TRAINING.name]
        interruptions = plan(times, seed, steps)
        console.print(f"took {truth.step_seconds * steps:.1f} s; now with {times} interruptions", highlight=False)
        interrupter = Interrupter(stack, books, submitter.submit(TRAINING), console)
        interrupter.run(interruptions)
        interrupter.wait_for_end()
        trained = {job_id: TRAINING.name for job_id in submitter.accepted}
        fallen = [*stack.keeper.fallen, *stack.group.revive()]
        account = Account(gather(books, trained), trained, {TRAINING.name: truth}, [], [], fallen)
        ledger = draw_up(account)
        drained = [status for agent in stack.agents for status in agent.ended if status != -signal.SIGKILL]
    good = ledger.clean and len(interrupter.happened) == times and not any(drained)
    _tell(ledger, truth, interrupter.happened, drained, console)
    _save(ledger, truth, interrupter.happened, {"times": times, "seed": seed, "steps": steps, "equal": good}, path)
    return good


def _tell(ledger: Ledger, truth: Reference, happened: list[Happened], drained: list[Any], console: Console) -> None:
    table = Table("what", "figure")
    for kind, count in Counter(one.kind for one in happened).items():
        table.add_row(kind, str(count))
    for name in ("attempts", "resumes from a checkpoint", "steps redone", "losses compared"):
        table.add_row(name, f"{ledger.facts[name]:,}")
    table.add_row("exit statuses after SIGTERM", ", ".join(map(str, sorted(set(drained)))) or "-")
    table.add_row("sha256 of the weights", ", ".join(truth.weights))
    for key, count in ledger.zeros.items():
        table.add_row(ZEROS[key], f"[red]{count}[/red]" if count else "[green]0[/green]")
    console.print(table)
    for found in ledger.findings.values():
        for line in found[:3]:
            console.print(line, highlight=False, soft_wrap=True)


def _save(ledger: Ledger, truth: Reference, happened: list[Happened], head: dict[str, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {**head, "weights": truth.weights, "interruptions": [asdict(one) for one in happened], **asdict(ledger)}
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    """Parse the command line and run. SIGTERM ends it as Ctrl-C does: with everything that was started."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    parser = argparse.ArgumentParser(prog="tests.soak.interruptions", description=__doc__)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "soak" / "interruptions.json")
    options = parser.parse_args()
    console = Console(width=None if Console().is_terminal else 140)
    good = run(options.times, options.seed, options.steps, options.json, console)
    console.print("[green]equal[/green]" if good else "[red]NOT EQUAL, or not all interruptions took place[/red]")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
