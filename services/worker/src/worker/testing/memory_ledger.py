"""The twin of one attempt's ledger, in memory: whether it is stale or out of reach is in the test's hands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from kargah.contracts.jobs import JobError, LogLine, StartRef
from kargah.domain.errors import StaleAttempt, Unavailable
from kargah.domain.job_state import Cause, Desired, Status
from kargah.jobstore.values import PINNING_REASON, Batch, NewCheckpoint, Orders, StoredCheckpoint


@dataclass
class MemoryLedger:
    """Attempt `generation` of one job. `ended` is how it was told to end, if it was."""

    generation: int = 1
    job_id: str = "job_1"
    stale: bool = False
    unavailable: int = 0
    orders: Orders = field(default_factory=lambda: Orders(Desired.RUN, None))
    heartbeats: int = 0
    batches: list[Batch] = field(default_factory=list)
    checkpoints: list[StoredCheckpoint] = field(default_factory=list)
    dropped: list[tuple[str, str]] = field(default_factory=list)
    served: list[int | None] = field(default_factory=list)
    ended: tuple[str, Any] | None = None

    def heartbeat(self) -> Orders:
        self._enter()
        self.heartbeats += 1
        return self.orders

    def record(self, batch: Batch) -> None:
        self._enter()
        self.batches.append(batch)

    def add_checkpoint(self, new: NewCheckpoint, serves: int | None) -> str:
        self._enter()
        checkpoint_id = f"ckpt_{new.step}_{self.generation}"
        stored = StoredCheckpoint(
            id=checkpoint_id,
            job_id=self.job_id,
            step=new.step,
            epoch=new.epoch,
            generation=self.generation,
            prefix=new.prefix,
            reason=new.reason,
            size_bytes=new.size_bytes,
            metrics=new.metrics,
            pinned=new.reason == PINNING_REASON,
        )
        self.checkpoints = [one for one in self.checkpoints if one.id != checkpoint_id] + [stored]
        self.served.append(serves)
        return checkpoint_id

    def restorable(self) -> Sequence[StoredCheckpoint]:
        return sorted(self.checkpoints, key=lambda one: (one.step, one.generation), reverse=True)

    def starting_checkpoint(self, start: StartRef) -> StoredCheckpoint | None:
        return next((one for one in self.checkpoints if one.id == start.checkpoint_id), None)

    def drop_checkpoint(self, checkpoint_id: str, reason: str, cause: Cause | None = None) -> None:
        self._enter()
        self.checkpoints = [one for one in self.checkpoints if one.id != checkpoint_id]
        self.dropped.append((checkpoint_id, reason))

    def log_lines(self) -> Iterator[LogLine]:
        lines = [entry for batch in self.batches for entry in batch.logs]
        for number, entry in enumerate(lines, start=1):
            yield LogLine(
                number=number, at=datetime.now(UTC), level=entry.level, message=entry.message, attempt=self.generation
            )

    def finish(self, result: Mapping[str, Any], outcome: Literal["finished", "stopped"]) -> None:
        self._end(outcome, result)

    def paused(self) -> Status:
        self._end("paused", None)
        return Status.PAUSED

    def requeue(self, reason: str, cause: Cause) -> Status:
        self._end("requeued", cause)
        return Status.PENDING

    def fail(self, error: JobError) -> Status:
        self._end("failed", error)
        return Status.ERROR if error.permanent else Status.PENDING

    def _end(self, how: str, detail: Any) -> None:
        self._enter()
        self.ended = (how, detail)
        self.stale = True

    def _enter(self) -> None:
        if self.unavailable > 0:
            self.unavailable -= 1
            raise Unavailable("The database does not answer now.")
        if self.stale:
            raise StaleAttempt("Not yours any more.")
