"""One campaign from an empty folder to its ledger."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

from rich.console import Console

from tests.soak import plan, report
from tests.soak.books import Books
from tests.soak.breakage import Breakage, breakage_named
from tests.soak.evidence import gather
from tests.soak.injector import Injector
from tests.soak.ledger import Account, Ledger, draw_up
from tests.soak.options import Options
from tests.soak.progress import Ticker
from tests.soak.reference import Reference, references, wait_for_recipes
from tests.soak.stack import Stack, running_stack
from tests.soak.workload import TRAININGS, Submitter, Supply, Training, install_inputs

_REFERENCE_SECONDS = 300.0
_LOOK_SECONDS = 0.5
_OPEN = "SELECT count(*) FROM gateway.jobs WHERE status NOT IN ('completed', 'error', 'cancelled')"
_OVER = "SELECT count(*) FROM gateway.jobs WHERE status IN ('completed', 'error')"


@dataclass(frozen=True)
class Outcome:
    """What a campaign found; `faults` are (done, planned) by kind."""

    ledger: Ledger
    faults: dict[str, tuple[int, int]]


def run(options: Options, console: Console) -> Outcome:
    """Run it, print and save the ledger. Raises ReferenceFailed, ProcessFailed or MissingServer before any fault."""
    breakage = breakage_named(options.broken)
    if breakage.agent_share is not None:
        options = replace(options, agent_share=breakage.agent_share)
    ticker = Ticker(console, options)
    with ticker, running_stack(options, breakage) as stack, open_books(stack) as books:
        return _Campaign(options, breakage, stack, books, ticker).run(console)


@contextmanager
def open_books(stack: Stack) -> Iterator[Books]:
    """Closed at the end."""
    books = Books(stack.database_url)
    try:
        yield books
    finally:
        books.close()


class _Campaign:
    def __init__(self, options: Options, breakage: Breakage, stack: Stack, books: Books, ticker: Ticker) -> None:
        self._options = options
        self._stack = stack
        self._books = books
        self._ticker = ticker
        self._faults = _faults(options, breakage)
        self._submitter = Submitter(stack.gateways, options)
        self._trainings: Sequence[Training] = TRAININGS[: options.configs]

    def run(self, console: Console) -> Outcome:
        truth = self._references()
        first = len(self._submitter.accepted)
        injector = self._attack(first)
        self._drain(first)
        ledger = self._ledger(truth, injector)
        return self._tell(ledger, injector, console)

    def _references(self) -> dict[str, Reference]:
        self._ticker.phase("installing models and data")
        install_inputs(self._stack.gateways[0], self._stack.folder / "inputs")
        wait_for_recipes(self._books)
        self._ticker.phase("undisturbed runs", len(self._trainings))
        return references(self._submitter, self._trainings, self._books, _REFERENCE_SECONDS, self._ticker.done)

    def _attack(self, first: int) -> Injector:
        """Faults for as long as they were ordered, with jobs waiting all the while."""
        options = self._options
        supply = Supply(self._submitter, self._trainings, self._open_jobs)
        supply.start()
        injector = Injector(self._stack, self._books, self._faults, options.seconds)
        self._ticker.phase("faults", options.seconds)
        began = time.monotonic()
        injector.start()
        while (elapsed := time.monotonic() - began) < options.seconds:
            self._ticker.faults(elapsed, injector.counts(), self._done_jobs() - first)
            time.sleep(_LOOK_SECONDS)
        supply.stop()
        self._ticker.phase("last restarts")
        injector.join()
        if supply.error is not None:
            raise supply.error
        return injector

    def _drain(self, first: int) -> None:
        """Until nothing is open, or nothing has been done for so long that it never will be."""
        total = len(self._submitter.accepted)
        self._ticker.phase("draining", total)
        deadline = time.monotonic() + self._options.drain_seconds
        while self._open_jobs() and time.monotonic() < deadline:
            self._ticker.done(self._done_jobs())
            time.sleep(_LOOK_SECONDS)

    def _ledger(self, truth: dict[str, Reference], injector: Injector) -> Ledger:
        self._ticker.phase("reading the books")
        trained = {job_id: training.name for job_id, training in self._submitter.accepted.items()}
        fallen = [*self._stack.keeper.fallen, *self._stack.group.revive()]
        evidence = gather(self._books, trained)
        return draw_up(Account(evidence, trained, truth, injector.done, injector.damages, fallen))

    def _tell(self, ledger: Ledger, injector: Injector, console: Console) -> Outcome:
        planned, done = plan.counts(self._options), injector.counts()
        faults = {kind: (done[kind], number) for kind, number in planned.items() if number}
        ledger.facts["submissions repeated"] = self._submitter.retries
        ledger.facts["requests that S3's faults met"] = self._stack.s3.struck
        self._ticker.end()
        report.show(ledger, faults, console)
        head = {"options": {key: str(value) for key, value in asdict(self._options).items()}, "errors": injector.errors}
        report.save(ledger, faults, injector.as_json(), head, self._options.json)
        for error in injector.errors[:3]:
            console.print(f"[yellow]a fault could not be done[/yellow]: {error}", highlight=False)
        return Outcome(ledger, faults)

    def _open_jobs(self) -> int:
        return int(self._books.rows(_OPEN)[0][0])

    def _done_jobs(self) -> int:
        return int(self._books.rows(_OVER)[0][0])


def _faults(options: Options, breakage: Breakage) -> list[plan.Fault]:
    faults = plan.plan(options)
    if breakage.mutilates:
        return faults
    return [replace(fault, detail={}) if fault.lane == "kills" else fault for fault in faults]
