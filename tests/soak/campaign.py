"""One campaign from an empty folder to its ledger."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

from rich.console import Console

from tests.soak import audit, plan, report
from tests.soak.books import Books
from tests.soak.breakage import WHOLE, Breakage, breakage_named
from tests.soak.evidence import gather
from tests.soak.injector import Injector
from tests.soak.ledger import Account, Ledger, draw_up
from tests.soak.options import Options
from tests.soak.outages import purge_queue
from tests.soak.progress import Ticker
from tests.soak.reference import Reference, references, wait_for_recipes
from tests.soak.servers import Servers, running_servers
from tests.soak.stack import Stack, running_services
from tests.soak.workload import TRAININGS, Submitter, Supply, Training, install_inputs

_REFERENCE_SECONDS = 600.0
_WARM_UP_SECONDS = 120.0
_LOOK_SECONDS = 0.5
_OPEN = "SELECT count(*) FROM gateway.jobs WHERE status NOT IN ('completed', 'error', 'cancelled')"
_MOVED = """
SELECT count(*) FILTER (WHERE status = 'completed'), sum(generation), (SELECT max(n) FROM soak.points) FROM gateway.jobs
"""
_OVER = "SELECT count(*) FROM gateway.jobs WHERE status IN ('completed', 'error')"


@dataclass(frozen=True)
class Outcome:
    """What a campaign found; `faults` are (done, planned) by kind."""

    ledger: Ledger
    faults: dict[str, tuple[int, int]]


def run(options: Options, console: Console) -> Outcome:
    """Run it, print and save the ledger. Raises ReferenceFailed, ProcessFailed or MissingServer before any fault."""
    with Ticker(console, options) as ticker, running_servers(options) as servers:
        truth = undisturbed(servers, options, ticker)
        return attack(servers, truth, options, ticker, console)


def undisturbed(servers: Servers, options: Options, ticker: Ticker) -> dict[str, Reference]:
    """Install the inputs, and run each training once, left alone, on services that end then."""
    with running_services(servers, options, WHOLE) as stack:
        return left_alone(stack, options, ticker)


def left_alone(stack: Stack, options: Options, ticker: Ticker) -> dict[str, Reference]:
    """The same on services that run."""
    trainings = _trainings(options)
    with open_books(stack.servers) as books:
        ticker.phase("installing models and data")
        install_inputs(stack.gateways[0], stack.servers.folder / "inputs")
        wait_for_recipes(books)
        ticker.phase("undisturbed runs", len(trainings))
        submitter = Submitter(stack.gateways, options)
        return references(submitter, trainings, books, _REFERENCE_SECONDS, ticker.done)


def attack(
    servers: Servers, truth: Mapping[str, Reference], options: Options, ticker: Ticker, console: Console
) -> Outcome:
    """The campaign itself, on fresh services; what jobs there were before is forgotten."""
    breakage = breakage_named(options.broken)
    if breakage.agent_share is not None:
        options = replace(options, agent_share=breakage.agent_share)
    _forget(servers)
    ticker.phase("starting services")
    with running_services(servers, options, breakage) as stack, open_books(servers) as books:
        return _Campaign(options, breakage, stack, books, ticker).run(truth, console)


def attack_running(
    stack: Stack, truth: Mapping[str, Reference], options: Options, ticker: Ticker, console: Console
) -> Outcome:
    """The same on services that run already, whole, with nothing in hand."""
    _forget(stack.servers)
    with open_books(stack.servers) as books:
        return _Campaign(options, WHOLE, stack, books, ticker).run(truth, console)


def _forget(servers: Servers) -> None:
    audit.forget(servers.database_url)
    purge_queue(servers)


@contextmanager
def open_books(servers: Servers) -> Iterator[Books]:
    """Closed at the end."""
    books = Books(servers.database_url)
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

    def run(self, truth: Mapping[str, Reference], console: Console) -> Outcome:
        injector = self._attack()
        self._drain()
        ledger = self._ledger(truth, injector)
        return self._tell(ledger, injector, console)

    def _attack(self) -> Injector:
        """Faults for as long as they were ordered, with jobs waiting all the while."""
        seconds = self._options.seconds
        supply = Supply(self._submitter, _trainings(self._options), self._open_jobs)
        supply.start()
        self._wait_for_trainers()
        injector = Injector(self._stack, self._books, self._faults, seconds)
        self._ticker.phase("faults", seconds)
        began = time.monotonic()
        injector.start()
        while (elapsed := time.monotonic() - began) < seconds:
            self._ticker.faults(elapsed, injector.counts(), self._done_jobs())
            time.sleep(_LOOK_SECONDS)
        supply.stop()
        self._ticker.phase("last restarts")
        injector.join()
        if supply.error is not None:
            raise supply.error
        return injector

    def _wait_for_trainers(self) -> None:
        """Faults begin when every agent has warmed up: it trains, or has trained."""
        self._ticker.phase("warming up")
        deadline = time.monotonic() + _WARM_UP_SECONDS
        cold = {agent.name for agent in self._stack.agents}
        while cold and time.monotonic() < deadline:
            cold -= {agent.name for agent in self._stack.agents if agent.trainer() is not None}
            time.sleep(_LOOK_SECONDS / 5)

    def _drain(self) -> None:
        """Until nothing is open, or nothing has moved for so long that it never will: however slow the machine is."""
        self._ticker.phase("draining", len(self._submitter.accepted))
        moved, moved_at = self._books.rows(_MOVED), time.monotonic()
        while self._open_jobs() and time.monotonic() - moved_at < self._options.drain_seconds:
            self._ticker.done(self._done_jobs())
            time.sleep(_LOOK_SECONDS)
            if (now := self._books.rows(_MOVED)) != moved:
                moved, moved_at = now, time.monotonic()

    def _ledger(self, truth: Mapping[str, Reference], injector: Injector) -> Ledger:
        self._ticker.phase("reading the books")
        trained = {job_id: training.name for job_id, training in self._submitter.accepted.items()}
        fallen = [*self._stack.keeper.fallen, *self._stack.group.revive()]
        evidence = gather(self._books, trained)
        return draw_up(Account(evidence, trained, truth, injector.done, injector.damages, fallen))

    def _tell(self, ledger: Ledger, injector: Injector, console: Console) -> Outcome:
        planned, done = plan.counts(self._options), injector.counts()
        faults = {kind: (done[kind], number) for kind, number in planned.items() if number}
        ledger.facts["submissions repeated"] = self._submitter.retries
        ledger.facts["requests that S3's faults met"] = self._stack.servers.s3.struck
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


def _trainings(options: Options) -> Sequence[Training]:
    return TRAININGS[: options.configs]


def _faults(options: Options, breakage: Breakage) -> list[plan.Fault]:
    faults = plan.plan(options)
    if breakage.mutilates:
        return faults
    return [replace(fault, detail={}) if fault.lane == "kills" else fault for fault in faults]
