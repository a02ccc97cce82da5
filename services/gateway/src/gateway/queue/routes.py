"""Routes of the queue: `/api/queue`, and `/api/workers`."""

from __future__ import annotations

from pydantic import Field

from gateway.queue.service import QueueService
from kargah.access.principal import current_principal
from kargah.access.roles import Permission
from kargah.contracts.base import Page, WireRequest
from kargah.contracts.queue import OwnerQuota, OwnerView, QueueEntry, QueueView, WorkerView
from kargah.domain.scope import EVERY, current_project, project_scope
from kargah.web.api import Api

_QUEUE = ["queue"]


class QueueQuery(WireRequest):
    """How many of the first jobs to show."""

    limit: int = Field(default=50, ge=1, le=1000)


def add_queue_routes(api: Api, service: QueueService) -> None:
    """Who waits and why, quotas, workers."""

    @api.get("/api/queue", query=QueueQuery, returns=QueueView, tags=_QUEUE)
    def get_queue(query: QueueQuery) -> QueueView:
        """The waiting jobs in the order of the claim, each with who is ahead and why it waits."""
        return service.view(query.limit)

    @api.get("/api/queue/jobs/<job_id>", returns=QueueEntry, tags=_QUEUE)
    def get_queue_entry(job_id: str) -> QueueEntry:
        """Why one job waits, however far back it is."""
        return service.entry(job_id)

    @api.get("/api/queue/owners", returns=Page[OwnerView], tags=_QUEUE)
    def list_owners() -> Page[OwnerView]:
        """Who has jobs, how many run and wait, and the quotas."""
        with project_scope(EVERY if current_principal().platform else current_project()):
            return service.owners()

    @api.put(
        "/api/queue/owners/<path:owner>", body=OwnerQuota, returns=OwnerView, needs=Permission.PLATFORM, tags=_QUEUE
    )
    def set_quota(owner: str, body: OwnerQuota) -> OwnerView:
        """Limit how many trainings an owner runs at once, and how many of its jobs may wait."""
        with project_scope(EVERY):
            return service.set_quota(owner, body)

    @api.get("/api/workers", returns=Page[WorkerView], tags=_QUEUE)
    def list_workers() -> Page[WorkerView]:
        """The workers that have been seen within the last day."""
        return service.workers()
