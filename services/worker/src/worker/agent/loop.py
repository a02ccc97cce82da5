"""The agent's life: wait for the bell, claim, work, and again, until it is told to end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from kargah.domain.errors import Unavailable
from kargah.jobstore.values import Claim
from kargah.ports.doorbell import DoorbellListener
from kargah.telemetry import traces
from kargah.telemetry.ids import bound
from kargah.telemetry.logging import get_logger
from worker.agent.attempt import Attempt, Report, Tools

_log = get_logger(__name__)
_POLL_SECONDS = 2.0
_SLICE_SECONDS = 0.25
_FIRST_BACK_OFF = 2.0
_LAST_BACK_OFF = 30.0


@dataclass
class AgentLoop:
    """For the main thread. `after_attempt` tidies up between attempts. After `idle_seconds` without a job it ends by
    itself; 0: never."""

    tools: Tools
    listener: DoorbellListener
    after_attempt: Callable[[], None]
    idle_seconds: float = 0.0
    _back_off: float = field(default=0.0)
    _idle_since: float = field(default_factory=time.monotonic)

    def run(self) -> None:
        """Until a drain is asked for, or there was nothing to do for long; a running attempt has been settled then."""
        while not self.tools.drain.wanted and not self._idled_out():
            worked = self._claim_and_work()
            if worked:
                self._idle_since = time.monotonic()
            if not worked or self._back_off:
                self._wait(max(self._back_off, _POLL_SECONDS), wake_on_ring=not self._back_off)

    def _idled_out(self) -> bool:
        return self.idle_seconds > 0 and time.monotonic() - self._idle_since >= self.idle_seconds

    def _claim_and_work(self) -> bool:
        """Whether there was a job."""
        claimed_at = time.monotonic()
        claim = self._claim()
        if claim is None:
            return False
        self._account(self._work(claim, claimed_at))
        return True

    def _claim(self) -> Claim | None:
        try:
            return self.tools.ledger.claim()
        except Unavailable as error:
            _log.warning("cannot ask for jobs", error=str(error))
        except Exception:  # an edge: whatever it was, the next look at the queue may go well
            _log.exception("asking for a job failed")
        return None

    def _work(self, claim: Claim, claimed_at: float) -> Report:
        """What this attempt logs, in whichever thread, names the job, the attempt and the request behind them."""
        job: dict[str, str | int] = {"job_id": claim.job_id, "attempt": claim.generation, "kind": claim.kind}
        with (
            bound(request_id=claim.origin.get("request_id"), **job),
            traces.span("attempt", job, parent=claim.origin.get("traceparent")),
        ):
            return self._account_for(claim, claimed_at)

    def _account_for(self, claim: Claim, claimed_at: float) -> Report:
        _log.info("job claimed", name=claim.name)
        metrics = self.tools.metrics
        metrics.attempt_began()
        report = Report("error")
        try:
            report = Attempt(self.tools, claim, claimed_at).run()
        except Exception:  # an edge: the job's lease runs out, and the agent goes on
            _log.exception("attempt could not be settled")
            report = Report("error", back_off=True)
        finally:
            metrics.attempt_ended(claim.job_id, report.outcome)
        _log.info("attempt ended", outcome=report.outcome, seconds=round(time.monotonic() - claimed_at, 1))
        return report

    def _account(self, report: Report) -> None:
        """Where something is away, trying the next job at once would only burn through the queue."""
        self.after_attempt()
        if not report.back_off:
            self._back_off = 0.0
        else:
            self._back_off = min(max(self._back_off * 2, _FIRST_BACK_OFF), _LAST_BACK_OFF)

    def _wait(self, seconds: float, *, wake_on_ring: bool) -> None:
        """In slices, so that a signal is noticed soon."""
        until = time.monotonic() + seconds
        self.tools.launcher.warm_up()
        while not self.tools.drain.wanted and time.monotonic() < until:
            rang = self.listener.wait(min(_SLICE_SECONDS, max(0.0, until - time.monotonic())))
            if rang and wake_on_ring:
                return
