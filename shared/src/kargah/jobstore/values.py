"""What goes into the job store and comes out of it, apart from the wire views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kargah.contracts.jobs import JobConfig
from kargah.domain.job_state import Desired, Status


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to insert. With an `idempotency_key`, `idempotency_digest` tells a repeat from a different request;
    `origin`: the request that made it, for logs and traces (see `kargah.telemetry.ids`)."""

    id: str
    kind: str
    name: str
    config: JobConfig
    priority: int = 0
    idempotency_key: str | None = None
    idempotency_digest: str | None = None
    owner: str = "local"
    origin: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs to list; None matches all. `name_contains` ignores case; the range is half open: [after, before)."""

    kind: str | None = None
    status: Status | None = None
    name_contains: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class JobCursor:
    """Where a page ended: the creation time and id of its last job."""

    created_at: datetime
    id: str


@dataclass(frozen=True, slots=True)
class Tail:
    """Where a job stands, and the numbers of its last event and its last log line."""

    status: Status
    events: int
    lines: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that is now this worker's, for as long as it keeps the lease. `generation` goes with every write.

    `crashes` counts earlier attempts that were lost or failed without any gain.
    """

    job_id: str
    kind: str
    name: str
    generation: int
    config: JobConfig
    crashes: int
    owner: str
    origin: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Orders:
    """What the user wants of a running job. `checkpoint_request` is the number of an unserved "checkpoint now",
    None when there is none; hand it to `commit_checkpoint(serves=...)` when it is done."""

    desired: Desired
    checkpoint_request: int | None


@dataclass(frozen=True, slots=True)
class MetricValue:
    """One value at one optimizer step. A value that is not finite is told in the event and not stored."""

    step: int
    name: str
    value: float


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line for the job's log; `level` is debug, info, warning or error."""

    level: str
    message: str


@dataclass(frozen=True, slots=True)
class EventEntry:
    """Something for the job's history; `data` is JSON."""

    type: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """What an attempt reports in one go.

    `status` is where the trainer stands (preparing, training, evaluating); None leaves it. `progress` holds fields of
    `contracts.jobs.Progress` in snake_case, merged into what is there; loss, accuracy and the like are taken from
    `metrics` as well. `resumed_at_step` is given once, when the trainer starts: points of earlier attempts beyond it
    are dropped, for those steps are done again (0 for a start from scratch).
    """

    status: Status | None = None
    progress: Mapping[str, Any] = field(default_factory=dict)
    metrics: Sequence[MetricValue] = ()
    logs: Sequence[LogEntry] = ()
    events: Sequence[EventEntry] = ()
    resumed_at_step: int | None = None


PINNING_REASON = "requested"
"""A checkpoint that a user asked for is pinned from the start."""


@dataclass(frozen=True, slots=True)
class NewCheckpoint:
    """A checkpoint whose files and manifest are all in the object store under `prefix`, verified."""

    step: int
    epoch: float
    size_bytes: int
    reason: str
    prefix: str
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A committed checkpoint, as a worker needs it to restore."""

    id: str
    job_id: str
    step: int
    epoch: float
    generation: int
    prefix: str
    reason: str
    size_bytes: int
    metrics: Mapping[str, float]
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When to give up. A crash counts unless a newer checkpoint than at the last crash exists.

    The `max_crashes`-th in a row ends the job; before that it waits `backoff_seconds`, doubled for each crash.
    """

    max_crashes: int = 3
    backoff_seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class Expired:
    """A job whose lease ran out, and where it went: pending, paused or error."""

    job_id: str
    kind: str
    worker: str
    status: Status


@dataclass(frozen=True, slots=True)
class QueueState:
    """`counts` of jobs per (status, kind); waiting jobs and the oldest one's wait in seconds, per kind."""

    counts: Mapping[tuple[str, str], int]
    depth: Mapping[str, int]
    oldest_wait_seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class RunningTraining:
    """A training that a worker holds: seconds of work that no checkpoint has yet, the last checkpoint's size if there
    is one, how often it was begun, and how many steps had to be done again."""

    job_id: str
    unsaved_seconds: float
    checkpoint_bytes: int | None
    attempts: int
    steps_lost: int
