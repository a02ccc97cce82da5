"""`client.queue`: who waits and why, quotas, workers."""

from __future__ import annotations

from enum import Enum
from urllib.parse import quote

from kargah.clients.transport import Transport
from kargah.contracts.base import Page
from kargah.contracts.queue import OwnerQuota, OwnerView, QueueEntry, QueueView, WorkerView


class Unset(Enum):
    """Stands for what was not given, where None means something."""

    UNSET = "unset"


UNSET = Unset.UNSET


class Queue:
    """Every call may raise ApiError or Unreachable."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def view(self, *, limit: int = 50) -> QueueView:
        """The first `limit` (1-1000) waiting jobs in the order of the claim."""
        return self._transport.ask(QueueView, "GET", "/api/queue", params={"limit": limit})

    def entry(self, job_id: str) -> QueueEntry:
        """Why this job waits, however far back it is."""
        return self._transport.ask(QueueEntry, "GET", f"/api/queue/jobs/{quote(job_id, safe='')}")

    def owners(self) -> Page[OwnerView]:
        return self._transport.ask(Page[OwnerView], "GET", "/api/queue/owners")

    def set_quota(
        self, owner: str, max_running: int | Unset | None = UNSET, max_waiting: int | Unset | None = UNSET
    ) -> OwnerView:
        """At most so many trainings of the owner at once; None takes the limit away. So many jobs may wait; None: as
        many as usual. What is not given stays."""
        given = {"max_running": max_running, "max_waiting": max_waiting}
        quota = OwnerQuota.model_validate({name: limit for name, limit in given.items() if limit is not UNSET})
        body = quota.model_dump(by_alias=True, exclude_unset=True)
        return self._transport.ask(OwnerView, "PUT", f"/api/queue/owners/{quote(owner)}", json=body)

    def workers(self) -> Page[WorkerView]:
        return self._transport.ask(Page[WorkerView], "GET", "/api/workers")
