"""Workers and jobs on simulated time: `kargah.domain`'s policy decides, its state table allows."""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from benchmarks.queue_simulation.load import Arrival, Load
from kargah.domain.job_state import ACTIVE, Event, Status, next_status
from kargah.domain.queue_policy import FAIR_SHARE_SECONDS, QUOTA_KIND, Head, choose, rank
from kargah.jobstore.values import RetryPolicy

_MTBF_SECONDS = 24 * 3600.0  # of one worker
_REPAIR_SECONDS = 60.0
_LEASE_SECONDS = 15.0
_SWEEP_SECONDS = 2.0
_CHECKPOINT_SECONDS = 60.0
_POISON_SECONDS = 5.0
_SAMPLE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Policy:
    """What decides; the negative controls leave a part of the real one out."""

    name: str
    share_seconds: float = FAIR_SHARE_SECONDS
    priorities: bool = True


class What(IntEnum):
    """What an entry in the calendar stands for."""

    ENDED = 0
    CRASHED = 1
    LEASE_OVER = 2
    QUEUED = 3
    REPAIRED = 4
    SAMPLE = 5


@dataclass(slots=True)
class Job:
    number: int
    owner: int
    priority: int
    left: float
    poison: bool
    queued_at: float
    status: Status = Status.PENDING
    generation: int = 0
    crashes: int = 0
    waited: float = 0.0

    def move(self, event: Event) -> None:
        """Raises AssertionError where the state table does not allow it: a job given twice, or lost."""
        after = next_status(self.status, event)
        assert after is not None, f"{event} in {self.status}"
        self.status = after


@dataclass(slots=True)
class Sample:
    """A moment: trainings by owner, jobs waiting by owner."""

    at: float
    running: list[int]
    waiting: list[int]


@dataclass
class Outcome:
    """What happened. `jobs` all ended; `lost_seconds` is work that was done twice or for nothing."""

    policy: Policy
    jobs: list[Job]
    samples: list[Sample] = field(default_factory=list)
    claims: int = 0
    crashes: int = 0
    lost_seconds: float = 0.0
    ended_at: float = 0.0
    over_quota: int = 0


class Cluster:
    """One run. Workers are alike; each takes the next job as soon as it is free."""

    def __init__(self, load: Load, policy: Policy) -> None:
        self._load = load
        self._policy = policy
        self._dice = random.Random(load.seed + 1)
        self._retry = RetryPolicy()
        self._now = 0.0
        self._free = load.workers
        self._calendar: list[tuple[float, int, What, Job | None]] = []
        self._entries = 0
        self._queues: list[list[tuple[float, int, Job]]] = [[] for _ in range(load.owners)]
        self._running = [0] * load.owners
        self._heads: dict[int, Head] = {}
        self._open = 0
        self._out = Outcome(policy, [])

    def run(self, arriving: Sequence[Arrival]) -> Outcome:
        """Until every job has ended."""
        self._open = len(arriving)
        self._enter(0.0, What.SAMPLE)
        feed = iter(enumerate(arriving))
        following = next(feed, None)
        while self._open:
            due = self._calendar[0][0]
            if following is not None and following[1].at <= due:
                self._now = following[1].at
                self._arrive(*following)
                following = next(feed, None)
            else:
                self._now, _, what, job = heapq.heappop(self._calendar)
                self._happen(what, job)
            self._claim_all()
        self._out.ended_at = self._now
        return self._out

    def _arrive(self, number: int, arrival: Arrival) -> None:
        job = Job(number, arrival.owner, arrival.priority, arrival.seconds, arrival.poison, self._now)
        self._out.jobs.append(job)
        self._queue(job)

    def _queue(self, job: Job) -> None:
        """The moment from which it may be taken."""
        job.queued_at = self._now
        place = rank(self._now, job.priority if self._policy.priorities else 0)
        heapq.heappush(self._queues[job.owner], (place, job.number, job))
        self._show_head(job.owner)

    def _show_head(self, owner: int) -> None:
        queue = self._queues[owner]
        if not queue:
            self._heads.pop(owner, None)
            return
        place, number, _ = queue[0]
        limit = self._load.quotas.get(owner)
        self._heads[owner] = Head(str(owner), QUOTA_KIND, place, f"{number:08}", self._running[owner], limit)

    def _claim_all(self) -> None:
        while self._free and (head := choose(self._heads.values(), self._policy.share_seconds)) is not None:
            _, _, job = heapq.heappop(self._queues[int(head.owner)])
            self._start(job)

    def _start(self, job: Job) -> None:
        job.move(Event.CLAIM)
        job.generation += 1
        job.waited += self._now - job.queued_at
        self._free -= 1
        self._out.claims += 1
        self._leave_or_enter(job.owner, 1)
        job.move(Event.INPUTS_READY)
        life = _POISON_SECONDS if job.poison else self._dice.expovariate(1 / _MTBF_SECONDS)
        if life < job.left or job.poison:
            self._enter(self._now + life, What.CRASHED, job)
            self._lose(job, life)
        else:
            self._enter(self._now + job.left, What.ENDED, job)

    def _lose(self, job: Job, life: float) -> None:
        """What is left after the crash that will come: all but what the checkpoints hold by then."""
        saved = life - life % _CHECKPOINT_SECONDS
        job.left -= saved
        job.crashes = 0 if saved else job.crashes + 1
        self._out.lost_seconds += life - saved

    def _happen(self, what: What, job: Job | None) -> None:
        if what is What.SAMPLE:
            self._sample()
        elif what is What.REPAIRED:
            self._free += 1
        elif job is not None:
            self._happen_to(what, job)

    def _happen_to(self, what: What, job: Job) -> None:
        if what is What.ENDED:
            self._end(job, Event.FINISH)
            self._free += 1
        elif what is What.CRASHED:
            self._out.crashes += 1
            self._enter(self._now + _REPAIR_SECONDS, What.REPAIRED)
            found = self._dice.uniform(0, _SWEEP_SECONDS)
            self._enter(self._now + _LEASE_SECONDS + found, What.LEASE_OVER, job)
        elif what is What.LEASE_OVER:
            self._put_back(job)
        else:
            self._queue(job)

    def _put_back(self, job: Job) -> None:
        if job.crashes >= self._retry.max_crashes:
            self._end(job, Event.FAIL)
            return
        job.move(Event.REQUEUE)
        self._leave_or_enter(job.owner, -1)
        delay = self._retry.backoff_seconds * 2 ** (job.crashes - 1) if job.crashes else 0.0
        self._enter(self._now + delay, What.QUEUED, job)

    def _end(self, job: Job, event: Event) -> None:
        job.move(event)
        self._leave_or_enter(job.owner, -1)
        self._open -= 1

    def _leave_or_enter(self, owner: int, change: int) -> None:
        self._running[owner] += change
        self._out.over_quota += self._running[owner] > self._load.quotas.get(owner, self._load.workers)
        self._show_head(owner)

    def _enter(self, at: float, what: What, job: Job | None = None) -> None:
        self._entries += 1
        heapq.heappush(self._calendar, (at, self._entries, what, job))

    def _sample(self) -> None:
        waiting = [len(queue) for queue in self._queues]
        self._out.samples.append(Sample(self._now, list(self._running), waiting))
        self._enter(self._now + _SAMPLE_SECONDS, What.SAMPLE)


def check(outcome: Outcome, expected: int) -> None:
    """Every job ended, once, and no quota was overrun. Raises AssertionError."""
    assert len(outcome.jobs) == expected, "jobs were lost"
    ends = {Status.COMPLETED, Status.ERROR}
    assert all(job.status in ends and job.status not in ACTIVE for job in outcome.jobs), "jobs have not ended"
    assert outcome.over_quota == 0, "a quota was overrun"
