"""The queue on the wire: who waits and why, whose share it is, which workers are there."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field

from kargah.contracts.base import Timestamp, Wire, WireRequest


class Wait(StrEnum):
    """Why a job waits."""

    NEXT = "next"
    BEHIND_OTHERS = "behind_others"
    OWNER_AT_QUOTA = "owner_at_quota"
    BACKING_OFF = "backing_off"
    NO_WORKER = "no_worker"


class Ahead(Wire):
    """The jobs that go first: how many, and the ids of the first five of them in the order of the queue."""

    count: int
    first: list[str]


class Score(Wire):
    """All in seconds; `total = waited + priority - fair_share`, and the highest total goes first.

    `fair_share`: what the owner runs by the time that it is this job's turn counts against it.
    """

    waited: float
    priority: float
    fair_share: float
    total: float


class QueueEntry(Wire):
    """A waiting job. `position` counts from 1 among jobs that the same workers take; `why` is one sentence."""

    job_id: str
    name: str
    kind: str
    owner: str
    priority: int
    position: int
    queued_at: Timestamp
    score: Score
    ahead: Ahead
    reason: Wait
    why: str


class QueueView(Wire):
    """The first waiting jobs in the order in which they will be taken as things stand, those that may not start now
    last. `total` counts all that wait, and is None beyond 10,000. Workers: that are alive, and idle of these."""

    items: list[QueueEntry]
    total: int | None
    workers: int
    idle: int


class OwnerView(Wire):
    """Whose jobs they are. `max_running` trainings at once, and `max_waiting` jobs that wait; null without a limit."""

    name: str
    max_running: int | None
    max_waiting: int | None = None
    running: int
    waiting: int


class OwnerQuota(WireRequest):
    """What is left out stays as it is. `max_running`: null takes the limit away; 0 lets no training of this owner
    start. `max_waiting`: while so many of its jobs wait, no other is accepted; null: as many as usual
    (`KARGAH_MAX_WAITING`)."""

    max_running: int | None = Field(default=None, ge=0, le=1_000_000)
    max_waiting: int | None = Field(default=None, ge=0, le=1_000_000)


class WorkerView(Wire):
    """A worker's agent. `alive`: it was seen within the last 20 seconds. `device` tells what it computes on. `busy`
    without a `job_id`: with a job of another project."""

    name: str
    kinds: list[str]
    device: dict[str, Any]
    job_id: str | None
    busy: bool
    started_at: Timestamp
    seen_at: Timestamp
    alive: bool
