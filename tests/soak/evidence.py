"""What the database and the audit know when a campaign is over, gathered by job."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from tests.soak.books import Books
from tests.soak.reference import weights_of


@dataclass(frozen=True)
class Point:
    """A loss as it was stored; `at` is the database's clock, in seconds since 1970."""

    step: int
    generation: int
    value: float
    at: float


@dataclass(frozen=True)
class Sighting:
    """A checkpoint's row came (`visible`) or went."""

    id: str
    step: int
    generation: int
    visible: bool
    at: float


@dataclass
class JobEvidence:
    """`points` of all attempts in the order of their storing, `losses` as the product shows them in the end;
    `resumed` are (attempt, step, when) of the product's own events, `claimed` when each attempt began."""

    id: str
    status: str = "absent"
    error: Any = None
    attempts: int = 0
    points: list[Point] = field(default_factory=list)
    losses: list[tuple[int, float]] = field(default_factory=list)
    checkpoints: list[Sighting] = field(default_factory=list)
    resumed: list[tuple[int, int, float]] = field(default_factory=list)
    claimed: dict[int, float] = field(default_factory=dict)
    damaged_met: int = 0
    finished_at: float | None = None
    weights: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """All jobs of the campaign, those that nobody submitted (`strange`), and stale writes by what they touched."""

    jobs: dict[str, JobEvidence]
    strange: list[str]
    stale: list[dict[str, Any]]


def gather(books: Books, accepted: Collection[str]) -> Evidence:
    """Everything, in a handful of queries."""
    jobs = {job_id: JobEvidence(job_id) for job_id in accepted}
    strange = _statuses(books, jobs)
    _histories(books, defaultdict(lambda: JobEvidence("?"), jobs))
    for job in jobs.values():
        job.weights = weights_of(books, job.id) if job.status == "completed" else ()
    columns = "relation", "operation", "job_id", "writer", "generation", "owner", "owner_generation", "status"
    stale = books.rows(f"SELECT {', '.join(columns)} FROM soak.stale ORDER BY n")
    return Evidence(jobs, strange, [dict(zip(columns, row, strict=True)) for row in stale])


def _statuses(books: Books, jobs: dict[str, JobEvidence]) -> list[str]:
    strange = []
    query = "SELECT id, status, error, generation, extract(epoch FROM finished_at)::float8 FROM gateway.jobs"
    for job_id, status, error, generation, finished_at in books.rows(query):
        if job_id not in jobs:
            strange.append(str(job_id))
            continue
        job = jobs[job_id]
        job.status, job.error, job.attempts, job.finished_at = status, error, generation, finished_at
    return strange


def _histories(books: Books, jobs: dict[str, JobEvidence]) -> None:
    at = "extract(epoch FROM at)::float8"
    for job_id, *values in books.rows(f"SELECT job_id, step, generation, value, {at} FROM soak.points ORDER BY n"):
        jobs[job_id].points.append(Point(*values))
    for job_id, step, value in books.rows(
        "SELECT job_id, step, value FROM gateway.metrics WHERE name = 'loss' ORDER BY job_id, step"
    ):
        jobs[job_id].losses.append((step, value))
    for job_id, *values in books.rows(
        f"SELECT job_id, id, step, generation, visible, {at} FROM soak.checkpoints ORDER BY n"
    ):
        jobs[job_id].checkpoints.append(Sighting(*values))
    query = f"SELECT job_id, generation, (data->>'step')::int, {at} FROM gateway.events WHERE type = 'resumed'"
    for job_id, *values in books.rows(query):
        jobs[job_id].resumed.append((values[0], values[1], values[2]))
    query = "SELECT job_id, generation, extract(epoch FROM started_at)::float8 FROM gateway.attempts"
    for job_id, generation, began in books.rows(query):
        jobs[job_id].claimed[generation] = began
    query = "SELECT job_id, count(*) FROM gateway.events WHERE type = 'checkpoint_damaged' GROUP BY 1"
    for job_id, count in books.rows(query):
        jobs[job_id].damaged_met = count
