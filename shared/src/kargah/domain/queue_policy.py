"""Who is next: priority, ageing, fair share and quota, as arithmetic.

The claim decides the same in SQL (`kargah.jobstore.claim_repository`); the simulation uses it as it is, and tests
hold the two together. Moments are seconds since the epoch, and the lowest figure goes first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

PRIORITY_SECONDS = 600.0
"""One level of priority is worth so much waiting. Ageing is thus built in: a rank never changes while a job waits,
an index can hold it, and nothing is overtaken for ever."""

FAIR_SHARE_SECONDS = 300.0
"""Each training that an owner runs already holds the owner's next job back by so much."""

QUOTA_KIND = "train"
"""The kind of job that quotas and shares count; installs are short and held back by neither."""


def rank(queued_at: float, priority: int) -> float:
    """The place of a job among its owner's. `queued_at` may lie ahead, for a job that backs off."""
    return queued_at - priority * PRIORITY_SECONDS


def score(head_rank: float, running: int) -> float:
    """The place of an owner among owners: its best job's rank, later by its share of what runs."""
    return head_rank + running * FAIR_SHARE_SECONDS


def has_room(running: int, max_running: int | None) -> bool:
    """Whether the quota allows one more training; None is no limit, 0 lets nothing start."""
    return max_running is None or running < max_running


@dataclass(frozen=True, slots=True)
class OwnerQueue:
    """An owner with a waiting job: `head_rank` and `head_id` are its first one's, `running` counts its trainings."""

    name: str
    head_rank: float
    head_id: str
    running: int
    max_running: int | None = None


def choose(owners: Iterable[OwnerQueue]) -> OwnerQueue | None:
    """The owner whose first job is next; None when all are at their quota. Of equals, the lower id goes first."""
    ready = (owner for owner in owners if has_room(owner.running, owner.max_running))
    return min(ready, key=lambda owner: (score(owner.head_rank, owner.running), owner.head_id), default=None)
