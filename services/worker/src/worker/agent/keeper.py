"""Keeps an attempt's lease: renews it while all is well, and ends the trainer before it could run out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Self

from kargah.domain.errors import StaleAttempt, Unavailable
from kargah.jobstore.values import Orders
from kargah.telemetry.ids import in_this_context
from kargah.telemetry.logging import get_logger
from worker.agent.ledger import AttemptLedger

_log = get_logger(__name__)
_MARGIN = 0.1  # of the lease: time to kill, and for the two clocks to run at different speeds


class Loss(StrEnum):
    """Why the job is not this attempt's any more."""

    STALE = "stale"
    LEASE = "lease"


@dataclass(frozen=True)
class Pace:
    """Seconds: how long a lease lasts, and how often it is renewed."""

    lease: float
    heartbeat: float


class LeaseKeeper:
    """Two threads: one talks to the database and may block there, the other only watches the clock.

    The lease counts from before a heartbeat was sent, on this machine's monotonic clock: it ends here before it
    ends in the database, whatever the wall clocks say. `on_change` is called after new orders and after a loss;
    `on_loss` is called first, once, from whichever thread notices. Use as a context manager.
    """

    def __init__(
        self,
        ledger: AttemptLedger,
        pace: Pace,
        claimed_at: float,
        *,
        on_loss: Callable[[Loss], None],
        on_change: Callable[[], None],
    ) -> None:
        """`claimed_at`: monotonic time from before the claim was sent."""
        self._ledger = ledger
        self._pace = pace
        self._renewed_at = claimed_at
        self._on_loss = on_loss
        self._on_change = on_change
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=in_this_context(run), name=f"lease-{run.__name__}", daemon=True)
            for run in (self._beat, self._guard)
        ]
        self.orders: Orders | None = None
        self.loss: Loss | None = None

    def remaining(self) -> float:
        """Seconds until the trainer must be dead."""
        return self._renewed_at + self._pace.lease * (1 - _MARGIN) - time.monotonic()

    def lose(self, loss: Loss) -> None:
        """Someone learned that the job is not ours: by a refused write, or by the clock. Only the first counts."""
        with self._lock:
            if self.loss is not None or self._stop.is_set():
                return
            self.loss = loss
        self._on_loss(loss)
        self._stop.set()
        self._on_change()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """A heartbeat that hangs in the database is left behind: what it may yet do is fenced."""
        self._stop.set()

    def _beat(self) -> None:
        while not self._stop.is_set():
            self._heartbeat()
            self._stop.wait(self._pace.heartbeat)

    def _heartbeat(self) -> None:
        sent_at = time.monotonic()
        try:
            orders = self._ledger.heartbeat()
        except StaleAttempt:
            self.lose(Loss.STALE)
        except Unavailable as error:
            _log.warning("heartbeat not stored", seconds_left=round(self.remaining(), 1), error=str(error))
        else:
            self._renewed_at = sent_at
            if orders != self.orders:
                self.orders = orders
                self._on_change()

    def _guard(self) -> None:
        while not self._stop.wait(max(0.0, self.remaining())):
            if self.remaining() <= 0:
                self.lose(Loss.LEASE)
