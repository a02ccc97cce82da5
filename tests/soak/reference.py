"""What each training gives when nothing disturbs it: the truth that all other runs are held against."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.soak.books import Books
from tests.soak.workload import Submitter, Training

_LOOK_SECONDS = 0.25
_OVER = ("completed", "error", "cancelled")
_WEIGHTS = """
SELECT f.sha256 FROM gateway.jobs j
JOIN registry.version_files f ON f.version_id = j.result->>'versionId'
WHERE j.id = %s AND f.path LIKE '%%.safetensors' ORDER BY f.path
"""


class ReferenceFailed(RuntimeError):
    """A training did not even end well while it was left alone."""


@dataclass(frozen=True)
class Reference:
    """Losses by step, the sha256 of each file of weights, and how long a step took (seconds, by the wall)."""

    losses: dict[int, float]
    weights: tuple[str, ...]
    step_seconds: float


def wait_for_recipes(books: Books, seconds: float = 120.0) -> None:
    """Agents publish what they can train with when they have started. Raises ReferenceFailed."""
    deadline = time.monotonic() + seconds
    while not books.rows("SELECT 1 FROM gateway.recipes LIMIT 1"):
        if time.monotonic() > deadline:
            raise ReferenceFailed("no agent has published its recipes")
        time.sleep(_LOOK_SECONDS)


def references(
    submitter: Submitter, trainings: Sequence[Training], books: Books, seconds: float, told: Callable[[int], None]
) -> dict[str, Reference]:
    """Run each once, side by side; by name. `told` hears how many are done. Raises ReferenceFailed."""
    ids = {submitter.submit(training): training.name for training in trainings}
    deadline = time.monotonic() + seconds
    while (left := _open(books, list(ids))) and time.monotonic() < deadline:
        told(len(ids) - left)
        time.sleep(_LOOK_SECONDS)
    told(len(ids))
    return {name: _reference(books, job_id, name) for job_id, name in ids.items()}


def weights_of(books: Books, job_id: str) -> tuple[str, ...]:
    """sha256 of the weights of the version that the job has registered; empty when there is none."""
    return tuple(str(row[0]) for row in books.rows(_WEIGHTS, [job_id]))


def _open(books: Books, ids: list[str]) -> int:
    query = "SELECT count(*) FROM gateway.jobs WHERE id = ANY(%s) AND NOT status = ANY(%s)"
    return int(books.rows(query, [ids, list(_OVER)])[0][0])


def _reference(books: Books, job_id: str, name: str) -> Reference:
    ((status, error),) = books.rows("SELECT status, error FROM gateway.jobs WHERE id = %s", [job_id])
    if status != "completed":
        raise ReferenceFailed(f"{name} is {status} without any fault: {error}")
    points = books.rows("SELECT step, value, at FROM soak.points WHERE job_id = %s ORDER BY n", [job_id])
    spread = (points[-1][2] - points[0][2]).total_seconds()
    losses = {int(step): float(value) for step, value, _ in points}
    return Reference(losses, weights_of(books, job_id), spread / max(1, len(points)))
