"""Who follows which job at the moment, and how many may."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass, field

from kargah.domain.errors import Busy, TooMany
from kargah.web.outlet import Outlet

_HINT = "Ask for the job itself every two seconds instead, or try again later."
_AGAIN_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Position:
    """Numbers of the last event and the last log line that a client was sent."""

    event: int
    line: int


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf a stream is open. `check` raises Unauthenticated or Forbidden once they may not read any more
    (None: nobody must log in, and nothing is counted); `credentials`: what it checks, equal ones need it but once."""

    subject: str
    credentials: Hashable = None
    check: Callable[[], object] | None = None


@dataclass(eq=False)
class Follower:
    """An open stream. `position` and `served_at`, the last time that it got a page of a replay, belong to the thread
    that reads for it."""

    job_id: str
    position: Position
    caller: Caller
    outlet: Outlet
    beat_at: float = field(default_factory=time.monotonic)
    served_at: float = float("-inf")


class Followers:
    """At most `capacity` at once, and `each` of one caller. Safe to use from any thread."""

    def __init__(self, capacity: int, each: int) -> None:
        self._capacity = capacity
        self._each = each
        self._lock = threading.Lock()
        self._by_job: defaultdict[str, set[Follower]] = defaultdict(set)
        self._of_caller: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._of_caller.total()

    def enter(self, follower: Follower) -> None:
        """Raises Busy when there are too many, TooMany when there are too many of this caller."""
        caller = follower.caller
        with self._lock:
            if len(self) >= self._capacity:
                message = "Too many clients follow jobs live at the moment."
                raise Busy(message, hint=_HINT, extra={"seconds": _AGAIN_SECONDS})
            if caller.check is not None and self._of_caller[caller.subject] >= self._each:
                message = f"{self._each} event streams of yours are open, as many as one caller may have."
                raise TooMany(message, hint=f"Close one. {_HINT}", extra={"seconds": _AGAIN_SECONDS})
            self._of_caller[caller.subject] += 1
            self._by_job[follower.job_id].add(follower)

    def leave(self, follower: Follower) -> None:
        """Safe to repeat."""
        with self._lock:
            if follower not in self._by_job.get(follower.job_id, ()):
                return
            self._by_job[follower.job_id].discard(follower)
            if not self._by_job[follower.job_id]:
                del self._by_job[follower.job_id]
            self._of_caller[follower.caller.subject] -= 1
            if not self._of_caller[follower.caller.subject]:
                del self._of_caller[follower.caller.subject]

    def jobs(self) -> set[str]:
        """Those that somebody follows."""
        with self._lock:
            return set(self._by_job)

    def all(self) -> list[Follower]:
        with self._lock:
            return [one for some in self._by_job.values() for one in some]

    def ready(self, job_id: str) -> dict[Position, list[Follower]]:
        """Those of a job who can be sent more, by what they have: equal ones are sent the same bytes."""
        groups: defaultdict[Position, list[Follower]] = defaultdict(list)
        with self._lock:
            for one in self._by_job.get(job_id, ()):
                if one.outlet.has_room and not one.outlet.closed:
                    groups[one.position].append(one)
        return groups

    def followed(self, job_ids: Collection[str]) -> set[str]:
        """Those among `job_ids`."""
        with self._lock:
            return self._by_job.keys() & set(job_ids)
