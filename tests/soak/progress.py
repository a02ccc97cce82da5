"""What a campaign is doing now and how long it will take: a live line on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status

from tests.soak.options import Options

_EVERY_SECONDS = 15.0
_START_SECONDS = 60.0
_SHORT = {
    "kill trainer": "trainers",
    "kill agent": "agents",
    "zombie": "zombies",
    "cut AMQP": "AMQP cuts",
    "mutilate checkpoint": "mutilated",
    "restart broker": "broker",
    "restart Postgres": "Postgres",
}


class Ticker:
    """Use as a context manager; `end` takes the live line away before the ledger is printed."""

    def __init__(self, console: Console, options: Options) -> None:
        self._console = console
        self._drain = max(10.0, options.seconds / 20)
        self._after_start = options.seconds + self._drain
        self._began = time.monotonic()
        self._ends = self._began + _START_SECONDS + self._after_start
        self._told = -_EVERY_SECONDS
        self._status: Status | None = console.status("starting servers") if console.is_terminal else None
        self._name = "starting servers"
        self._total: float = 0

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        self._tell("starting servers", now=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        if self._status is not None:
            self._status.stop()

    def phase(self, name: str, total: float = 0) -> None:
        """A new part begins, of `total` whatever `done` counts."""
        self._name, self._total = name, total
        if self._status is not None:
            self._status.start()
        if name == "draining":
            self._ends = time.monotonic() + self._drain
        elif name != "faults":
            self._ends = max(self._ends, time.monotonic() + self._after_start)
        self._tell(name, now=True)

    def done(self, count: float) -> None:
        """How much of the phase is done."""
        self._tell(f"{self._name}: {count:g} of {self._total:g}")

    def faults(self, elapsed: float, counts: Counter[str], jobs: int) -> None:
        """In the faults' phase: what was done so far."""
        self._ends = time.monotonic() + self._total - elapsed + self._drain
        told = ", ".join(f"{counts[kind]} {name}" for kind, name in _SHORT.items())
        self._tell(f"{elapsed:.0f} of {self._total:.0f} s of faults: {told}; {jobs} jobs done")

    def _tell(self, text: str, *, now: bool = False) -> None:
        elapsed = time.monotonic() - self._began
        line = f"{text} (about {_clock(self._ends - time.monotonic())} left)"
        if self._status is not None:
            return self._status.update(line)
        if now or elapsed - self._told >= _EVERY_SECONDS:
            self._told = elapsed
            self._console.print(f"{elapsed:6.1f} s  {line}", highlight=False, soft_wrap=True)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(max(0, round(seconds)), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
