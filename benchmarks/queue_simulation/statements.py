"""How many statements a job costs: one real life through the job store, counted as they are sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import event

from kargah.domain.job_state import Status
from kargah.jobstore import attempt_repository, worker_repository
from kargah.jobstore.values import Batch, Claim, LogEntry, MetricValue, NewCheckpoint
from kargah.testing.jobs import JobBench

Write = Callable[[JobBench], object]
HEARTBEATS_PER_SECOND = 2.0
REPORTS_PER_SECOND = 2.0
ANNOUNCEMENTS_PER_SECOND = 0.2
CHECKPOINTS_PER_SECOND = 1 / 60.0


@dataclass(frozen=True)
class Statements:
    """Statements in each part of a job's life, transactions' own BEGIN and COMMIT not counted."""

    parts: dict[str, int]

    @property
    def once(self) -> int:
        """For a job of any length."""
        return sum(self.parts[part] for part in ("submit", "claim", "start", "finish"))

    @property
    def per_second(self) -> float:
        """While it runs, at the default pace."""
        return (
            HEARTBEATS_PER_SECOND * self.parts["heartbeat"]
            + REPORTS_PER_SECOND * self.parts["report"]
            + CHECKPOINTS_PER_SECOND * self.parts["checkpoint"]
            + ANNOUNCEMENTS_PER_SECOND * self.parts["announcement"]
        )


def count_statements(bench: JobBench) -> Statements:
    """Run one job from submit to finish, on a database that is otherwise empty."""
    parts: Counter[str] = Counter()
    with _counting(bench, parts, "submit"):
        bench.submit(owner="counted")
    with _counting(bench, parts, "claim"):
        claim = bench.claim()
    assert claim is not None
    for part, write in _writes(claim).items():
        with _counting(bench, parts, part):
            write(bench)
    return Statements(dict(parts))


def report() -> Batch:
    """What a trainer tells twice a second: two steps."""
    metrics = [MetricValue(step, name, 1.0) for step in (1, 2) for name in ("loss", "learning_rate", "grad_norm")]
    return Batch(progress={"percent": 1.0, "step": 2}, metrics=metrics, logs=[LogEntry("info", "step 2, loss 1.0")])


def _writes(claim: Claim) -> dict[str, Write]:
    mine = (claim.job_id, claim.generation)
    checkpoint = NewCheckpoint(1, 0.1, 1000, "interval", "jobs/x/checkpoints/1")
    return {
        "start": lambda bench: bench.do(attempt_repository.record, *mine, Batch(status=Status.TRAINING)),
        "heartbeat": lambda bench: bench.do(attempt_repository.heartbeat, *mine, 60.0),
        "report": lambda bench: bench.do(attempt_repository.record, *mine, report()),
        "checkpoint": lambda bench: bench.do(attempt_repository.commit_checkpoint, *mine, checkpoint),
        "announcement": lambda bench: bench.do(
            worker_repository.announce, "worker", ["train"], {}, claim.job_id, first=False
        ),
        "finish": lambda bench: bench.do(attempt_repository.finish, *mine, {}),
    }


@contextmanager
def _counting(bench: JobBench, parts: Counter[str], part: str) -> Iterator[None]:
    def count(*_: object) -> None:
        parts[part] += 1

    event.listen(bench.engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(bench.engine, "before_cursor_execute", count)
