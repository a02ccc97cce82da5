"""What goes on all through an attempt, whatever it waits for: the lease is watched, and reports flow."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from kargah.domain.errors import StaleAttempt, Unavailable
from kargah.jobstore.values import Batch
from kargah.telemetry.logging import get_logger
from worker.agent.background import Aborted, Background
from worker.agent.collector import Collector
from worker.agent.ending import Ending, GivenBack, Over
from worker.agent.faults import ending_for
from worker.agent.keeper import LeaseKeeper, Loss
from worker.agent.ledger import AttemptLedger

_log = get_logger(__name__)
_FLUSH_SECONDS = 0.5
_TICK_SECONDS = 0.1
_RETRY_SECONDS = 0.5
_PATIENCE_SECONDS = 600.0
Result = TypeVar("Result")
Interrupt = Callable[[], Ending | None]


class Lost(Exception):
    """The job is not this attempt's any more: nothing may be written."""

    def __init__(self, loss: Loss) -> None:
        super().__init__(loss.value)
        self.loss = loss


@dataclass
class Watch:
    """For the attempt's main thread. Every method may raise Lost."""

    ledger: AttemptLedger
    keeper: LeaseKeeper
    background: Background
    collector: Collector
    woken: threading.Event
    _flushed_at: float = field(default_factory=time.monotonic)

    def check(self) -> None:
        """Raises Lost once the lease is gone."""
        if self.keeper.loss is not None:
            raise Lost(self.keeper.loss)

    def tick(self) -> None:
        """A moment of waiting, with everything that has to go on meanwhile."""
        self.check()
        self.flush_if_due()
        self.woken.wait(_TICK_SECONDS)
        self.woken.clear()

    def flush_if_due(self) -> None:
        """Store what was reported, every half second; what cannot be stored now is kept for the next time."""
        if time.monotonic() - self._flushed_at >= _FLUSH_SECONDS:
            self._flushed_at = time.monotonic()
            batch = self.collector.take()
            if batch is not None:
                self._try_record(batch)

    def flush(self) -> None:
        """Store everything that was reported so far."""
        while (batch := self.collector.take()) is not None:
            self.insist(partial(self._record, batch))
            self.collector.stored()

    def insist(self, write: Callable[[], Result]) -> Result:
        """Do `write`, again and again while the database does not answer, for as long as the lease lasts."""
        while True:
            self.check()
            try:
                return write()
            except StaleAttempt:
                self.keeper.lose(Loss.STALE)
            except Unavailable as error:
                _log.warning("write not stored, trying again", error=str(error))
                self.woken.wait(_RETRY_SECONDS)

    def wait_for(self, future: Future[Result], interrupt: Interrupt) -> Result:
        """The result of a background task. Raises Over when `interrupt` says how to end, or for a foreseen error."""
        self.wait_until(future.done, interrupt)
        return self.result_of(future)

    def wait_until(self, condition: Callable[[], bool], interrupt: Interrupt) -> None:
        """Raises Over when `interrupt` says how to end."""
        while not condition():
            ending = interrupt()
            if ending is not None:
                raise Over(ending)
            self.tick()

    def persist(self, task: Callable[[], Result], interrupt: Interrupt) -> Result:
        """As `wait_for`, but what fails because a service is away is tried anew for ten minutes: a finished
        training is not thrown away for that."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return self.wait_for(self.background.submit(task), interrupt)
            except Over as over:
                away = isinstance(over.ending, GivenBack) and over.ending.back_off
                if not away or time.monotonic() > until:
                    raise
            self.wait_for(self.background.submit(lambda: self.background.pause(_RETRY_SECONDS)), interrupt)

    def result_of(self, future: Future[Result]) -> Result:
        """Of a task that is done. Raises Over for a foreseen error, and what it raised for any other."""
        try:
            return future.result()
        except Aborted as error:
            raise Lost(self.keeper.loss or Loss.LEASE) from error
        except StaleAttempt as error:
            self.keeper.lose(Loss.STALE)
            raise Lost(Loss.STALE) from error
        except Exception as error:
            ending = ending_for(error)
            if ending is None:
                raise
            raise Over(ending) from error

    def _record(self, batch: Batch) -> None:
        """A batch that the store can never take is dropped, for offering it again would end every try the same way."""
        try:
            self.ledger.record(batch)
        except (StaleAttempt, Unavailable):
            raise
        except Exception:
            self.collector.stored()
            raise

    def _try_record(self, batch: Batch) -> None:
        try:
            self._record(batch)
        except StaleAttempt as error:
            self.keeper.lose(Loss.STALE)
            raise Lost(Loss.STALE) from error
        except Unavailable as error:
            _log.warning("reports not stored, kept for later", error=str(error))
        else:
            self.collector.stored()
