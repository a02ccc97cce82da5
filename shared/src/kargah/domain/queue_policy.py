"""Who is next: priority, ageing, fair share and quota, as arithmetic.

The claim decides the same in SQL (`kargah.jobstore.heads_repository`); the simulation uses it as it is, and a test
holds the two together. Moments are seconds since the epoch, and the lowest figure goes first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

PRIORITY_SECONDS = 600.0
"""One level of priority is worth so much waiting. Ageing is thus built in: a rank never changes while a job waits,
an index can hold it, and nothing is overtaken for ever."""

FAIR_SHARE_SECONDS = 300.0
"""Each training that an owner runs already holds the owner's next job back by so much."""

MOST_DEVICES = 64
"""The most devices of one worker that a job may ask for."""

QUOTA_KIND = "train"
"""The kind of job that quotas limit and shares count."""


@dataclass(frozen=True, slots=True)
class Head:
    """The first waiting job of one kind of one owner, who runs `running` trainings of at most `max_running`."""

    owner: str
    kind: str
    rank: float
    job_id: str
    running: int
    max_running: int | None = None


def rank(queued_at: float, priority: int) -> float:
    """The place of a job among its owner's. `queued_at` may lie ahead, for a job that backs off."""
    return queued_at - priority * PRIORITY_SECONDS


def score(job_rank: float, running: int, share_seconds: float = FAIR_SHARE_SECONDS) -> float:
    """The place of a job among all owners': its rank, later by what its owner runs already."""
    return job_rank + running * share_seconds


def has_room(kind: str, running: int, max_running: int | None) -> bool:
    """Whether the owner's quota lets one more job of `kind` start; None is no limit, 0 lets no training start."""
    return kind != QUOTA_KIND or max_running is None or running < max_running


def choose(heads: Iterable[Head], share_seconds: float = FAIR_SHARE_SECONDS) -> Head | None:
    """The next job to give out; None when every owner is at the quota. Of equals, the lower id goes first."""
    ready = (head for head in heads if has_room(head.kind, head.running, head.max_running))
    return min(ready, key=lambda head: (score(head.rank, head.running, share_seconds), head.job_id), default=None)


@dataclass(frozen=True, slots=True)
class LivingWorker:
    """A worker that is there: the kinds of job it takes, its job, None while it is idle, how many devices it has."""

    kinds: frozenset[str]
    job_id: str | None = None
    devices: int = 1


def most_devices(workers: Iterable[LivingWorker]) -> int:
    """Of the worker that has most; 0 without workers."""
    return max((worker.devices for worker in workers), default=0)


def rivals(kind: str, workers: Iterable[LivingWorker]) -> frozenset[str]:
    """The kinds that compete with `kind`, itself included: workers that take it take those as well. Empty: nobody
    takes it."""
    return frozenset().union(*(worker.kinds for worker in workers if kind in worker.kinds))
