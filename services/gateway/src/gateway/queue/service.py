"""What the queue routes do."""

from __future__ import annotations

from collections.abc import Callable

from gateway.queue.explain import SHOWN_AHEAD, explain, explain_first, may_see
from gateway.ringer import Ringer
from kargah.contracts.base import Page
from kargah.contracts.queue import Ahead, OwnerQuota, OwnerView, QueueEntry, QueueView, WorkerView
from kargah.db.engine import Connection, Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import Conflict, FieldError, Invalid
from kargah.domain.job_state import Status
from kargah.domain.names import is_name
from kargah.domain.queue_policy import most_devices, rivals
from kargah.domain.scope import EVERY, current_project, project_scope
from kargah.jobstore import query_repository, queue_repository, queue_view_repository, worker_repository
from kargah.jobstore.claim_repository import pending_to_ring

_FORGET_SECONDS = 24 * 3600.0
_LOOKED_THROUGH = 10_000  # jobs of others between which a project's own are shown


class QueueService:
    """The queue, the owners of its jobs, and the workers that take them."""

    def __init__(
        self,
        engine: Engine,
        ringer: Ringer,
        usually_waiting: int | None = None,
        must_exist: Callable[[Connection, str], None] | None = None,
    ) -> None:
        """`usually_waiting`: how many jobs may wait of an owner without a limit of its own; None: any number.
        `must_exist` raises NotFound for what is no owner; None: every name may be one."""
        self._engine = engine
        self._ringer = ringer
        self._usually_waiting = usually_waiting
        self._must_exist = must_exist

    def view(self, limit: int) -> QueueView:
        """The first `limit` waiting jobs, each with why it waits."""
        project = current_project()
        with UnitOfWork(self._engine) as tx:
            total = queue_view_repository.count_waiting(tx.connection)
        with project_scope(EVERY), UnitOfWork(self._engine) as tx:  # who is ahead may be anybody's
            workers = worker_repository.living_workers(tx.connection)
            taken = {kind for worker in workers for kind in worker.kinds}
            read = limit if project == EVERY else _LOOKED_THROUGH
            jobs = queue_view_repository.waiting_jobs(
                tx.connection, taken, limit=read, most_devices=most_devices(workers)
            )
        idle = sum(worker.job_id is None for worker in workers)
        items = explain_first(jobs, workers, project, limit)
        return QueueView(items=items, total=total, workers=len(workers), idle=idle)

    def entry(self, job_id: str) -> QueueEntry:
        """Why this job waits, however far back it is. Raises NotFound, Conflict when it does not wait."""
        project = current_project()
        with UnitOfWork(self._engine) as tx:
            job = query_repository.get_job(tx.connection, job_id)
        with project_scope(EVERY), UnitOfWork(self._engine) as tx:  # who is ahead may be anybody's
            workers = worker_repository.living_workers(tx.connection)
            kinds = rivals(job.kind, workers)
            found = queue_view_repository.waiting_job(
                tx.connection,
                job_id,
                kinds,
                kinds or {job.kind},
                first=SHOWN_AHEAD,
                most_devices=most_devices(workers),
            )
        mine = next((one for one in found if one.job_id == job_id), None)
        if job.status is not Status.PENDING or mine is None:
            raise Conflict(f"Job {job_id} does not wait: it is {job.status}.", hint="GET /api/jobs/<id> shows it.")
        first = [one.job_id for one in found if one.number < mine.number and may_see(project, one)][:SHOWN_AHEAD]
        return explain(mine, Ahead(count=mine.number - 1, first=first), workers)

    def owners(self) -> Page[OwnerView]:
        """Everybody who has had a job or a quota."""
        with UnitOfWork(self._engine) as tx:
            items = [self._usual(view) for view in queue_view_repository.list_owners(tx.connection)]
        return Page[OwnerView](items=items, total=len(items))

    def set_quota(self, owner: str, quota: OwnerQuota) -> OwnerView:
        """Limit the owner's running trainings, from the next claim on, and its waiting jobs. Raises Invalid for what
        is no name, or where nothing is to change, and NotFound."""
        if not is_name(owner):
            message = "Letters, digits, `.`, `_` and `-`, at most 96 of them; `team/name` is one as well."
            raise Invalid("The owner is not acceptable.", errors=[FieldError("owner", message)])
        if not quota.model_fields_set:
            raise Invalid(
                "Nothing is to change.", errors=[FieldError("maxRunning", "Give it, or maxWaiting, or both.")]
            )
        with UnitOfWork(self._engine) as tx:
            if self._must_exist is not None:
                self._must_exist(tx.connection, owner)
            if "max_running" in quota.model_fields_set:
                queue_repository.set_quota(tx.connection, owner, quota.max_running)
            if "max_waiting" in quota.model_fields_set:
                queue_repository.set_waiting_quota(tx.connection, owner, quota.max_waiting)
            view = self._usual(queue_view_repository.get_owner(tx.connection, owner))
            startable = pending_to_ring(tx.connection, overdue_seconds=0.0)
        for job_id, kind in startable:
            self._ringer.soon(job_id, kind)
        return view

    def _usual(self, view: OwnerView) -> OwnerView:
        """With the limit that holds where there is none of its own."""
        return view if view.max_waiting is not None else view.model_copy(update={"max_waiting": self._usually_waiting})

    def workers(self) -> Page[WorkerView]:
        """Those alive first; who has not been seen for a day is forgotten."""
        with UnitOfWork(self._engine) as tx:
            worker_repository.forget_workers(tx.connection, _FORGET_SECONDS)
            items = worker_repository.list_workers(tx.connection)
        return Page[WorkerView](items=items, total=len(items))
