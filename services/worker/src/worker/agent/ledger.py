"""The job store as the agent uses it: what it may take, and what one attempt may write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from kargah.contracts.jobs import JobError, LogLine, RecipeView, StartRef
from kargah.db.engine import Engine, create_engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.job_state import Cause, Status
from kargah.jobstore import (
    attempt_repository,
    claim_repository,
    query_repository,
    recipe_repository,
    worker_repository,
)
from kargah.jobstore.values import Batch, Claim, NewCheckpoint, Orders, RetryPolicy, StoredCheckpoint

_LOG_PAGE = 5000


class AttemptLedger(Protocol):
    """The writes of one attempt. Each raises StaleAttempt once the job is no longer this attempt's, and
    Unavailable when nothing was stored because the database does not answer."""

    def heartbeat(self) -> Orders: ...

    def record(self, batch: Batch) -> None: ...

    def add_checkpoint(self, new: NewCheckpoint, serves: int | None) -> str: ...

    def restorable(self) -> Sequence[StoredCheckpoint]: ...

    def starting_checkpoint(self, start: StartRef) -> StoredCheckpoint | None: ...

    def drop_checkpoint(self, checkpoint_id: str, reason: str, cause: Cause | None = None) -> None: ...

    def log_lines(self) -> Iterator[LogLine]: ...

    def finish(self, result: Mapping[str, Any], outcome: Literal["finished", "stopped"]) -> None: ...

    def paused(self) -> Status: ...

    def requeue(self, reason: str, cause: Cause) -> Status: ...

    def fail(self, error: JobError) -> Status: ...


class Ledger(Protocol):
    """What an agent asks for between attempts."""

    def claim(self) -> Claim | None: ...

    def publish(self, recipes: Sequence[RecipeView]) -> None: ...

    def attempt(self, claim: Claim) -> AttemptLedger: ...


def lease_engine(database_url: str, lease_seconds: float) -> Engine:
    """An engine that gives up when the lease would: were this agent cut off in the middle of a transaction, its
    lock on the job must not outlive the lease, or nobody else could take the job."""
    return create_engine(
        database_url,
        application_name="kargah-worker",
        statement_timeout_seconds=lease_seconds,
        pool_size=4,
        max_overflow=4,
        idle_in_transaction_seconds=lease_seconds,
        unanswered_seconds=lease_seconds,
    )


@dataclass(frozen=True)
class PostgresLedger:
    """The real one. `lease_seconds` is by the database's clock; jobs for more than `devices` are left alone."""

    engine: Engine
    worker: str
    kinds: Sequence[str]
    lease_seconds: float
    policy: RetryPolicy
    devices: int = 1

    def claim(self) -> Claim | None:
        with UnitOfWork(self.engine) as tx:
            return claim_repository.claim(tx.connection, self.kinds, self.worker, self.lease_seconds, self.devices)

    def publish(self, recipes: Sequence[RecipeView]) -> None:
        with UnitOfWork(self.engine) as tx:
            recipe_repository.publish(tx.connection, recipes)

    def announce(self, device: Mapping[str, Any], job_id: str | None, *, first: bool) -> None:
        with UnitOfWork(self.engine) as tx:
            worker_repository.announce(tx.connection, self.worker, self.kinds, device, job_id, first=first)

    def leave(self) -> None:
        with UnitOfWork(self.engine) as tx:
            worker_repository.leave(tx.connection, self.worker)

    def attempt(self, claim: Claim) -> AttemptLedger:
        return PostgresAttempt(self.engine, claim.job_id, claim.generation, self.lease_seconds, self.policy)


@dataclass(frozen=True)
class PostgresAttempt:
    """One transaction per call."""

    engine: Engine
    job_id: str
    generation: int
    lease_seconds: float
    policy: RetryPolicy

    def heartbeat(self) -> Orders:
        with UnitOfWork(self.engine) as tx:
            return attempt_repository.heartbeat(tx.connection, self.job_id, self.generation, self.lease_seconds)

    def record(self, batch: Batch) -> None:
        with UnitOfWork(self.engine) as tx:
            attempt_repository.record(tx.connection, self.job_id, self.generation, batch)

    def add_checkpoint(self, new: NewCheckpoint, serves: int | None) -> str:
        with UnitOfWork(self.engine) as tx:
            return attempt_repository.commit_checkpoint(tx.connection, self.job_id, self.generation, new, serves=serves)

    def restorable(self) -> Sequence[StoredCheckpoint]:
        with UnitOfWork(self.engine) as tx:
            return attempt_repository.restorable(tx.connection, self.job_id)

    def starting_checkpoint(self, start: StartRef) -> StoredCheckpoint | None:
        with UnitOfWork(self.engine) as tx:
            return attempt_repository.starting_checkpoint(tx.connection, start)

    def drop_checkpoint(self, checkpoint_id: str, reason: str, cause: Cause | None = None) -> None:
        with UnitOfWork(self.engine) as tx:
            mine = (tx.connection, self.job_id, self.generation)
            attempt_repository.drop_checkpoint(*mine, checkpoint_id, reason, cause)

    def log_lines(self) -> Iterator[LogLine]:
        last = 0
        while page := self._log_page(last):
            yield from page
            last = page[-1].number

    def _log_page(self, after: int) -> list[LogLine]:
        with UnitOfWork(self.engine) as tx:
            return query_repository.log_lines_after(tx.connection, self.job_id, after, _LOG_PAGE)

    def finish(self, result: Mapping[str, Any], outcome: Literal["finished", "stopped"]) -> None:
        with UnitOfWork(self.engine) as tx:
            attempt_repository.finish(tx.connection, self.job_id, self.generation, result, outcome=outcome)

    def paused(self) -> Status:
        with UnitOfWork(self.engine) as tx:
            return attempt_repository.paused(tx.connection, self.job_id, self.generation)

    def requeue(self, reason: str, cause: Cause) -> Status:
        with UnitOfWork(self.engine) as tx:
            mine = (tx.connection, self.job_id, self.generation)
            return attempt_repository.requeue(*mine, reason, cause=cause, policy=self.policy)

    def fail(self, error: JobError) -> Status:
        with UnitOfWork(self.engine) as tx:
            return attempt_repository.fail(tx.connection, self.job_id, self.generation, error, self.policy)
