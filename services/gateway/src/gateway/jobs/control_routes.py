"""Routes that change a job, or make a new one out of it. All but the forks are idempotent."""

from __future__ import annotations

from gateway.jobs.replies import accepted_reply, idempotency_key, named
from gateway.jobs.service import CONTROLS, JobService
from kargah.access.roles import Permission
from kargah.contracts.jobs import (
    CheckpointUpdate,
    CheckpointView,
    ExtendRequest,
    JobUpdate,
    JobView,
    RestartRequest,
    ResumeRequest,
)
from kargah.web.api import Api, Reply

_JOBS = ["jobs"]


def add_control_routes(api: Api, service: JobService, scope: str, path: str, kind: str | None) -> None:
    """Below `path`, which ends in `<job_id>`, for jobs of `kind` (None: of all)."""
    for action in CONTROLS:
        _add_plain(api, service, f"{action}_{scope}", f"{path}/{action}", action, kind)
    _add_changes(api, service, scope, path, kind)
    _add_forks(api, service, scope, path, kind)


def _add_plain(api: Api, service: JobService, name: str, path: str, action: str, kind: str | None) -> None:
    @api.post(path, returns=JobView, tags=_JOBS, summary=f"{action.capitalize()} a job.")
    @named(name)
    def control(job_id: str) -> JobView:
        return service.control(job_id, action, kind)


def _add_changes(api: Api, service: JobService, scope: str, path: str, kind: str | None) -> None:
    @api.post(f"{path}/resume", body=ResumeRequest, optional_body=True, returns=JobView, tags=_JOBS)
    @named(f"resume_{scope}")
    def resume(job_id: str, body: ResumeRequest) -> JobView:
        """Queue a paused job again, from its newest checkpoint or from a chosen one."""
        return service.resume(job_id, body, kind)

    @api.patch(path, body=JobUpdate, returns=JobView, needs=Permission.ADMIN, tags=_JOBS)
    @named(f"update_{scope}")
    def update(job_id: str, body: JobUpdate) -> JobView:
        """Change the priority of a job that has not ended."""
        return service.update(job_id, body, kind)

    @api.patch(f"{path}/checkpoints/<checkpoint_id>", body=CheckpointUpdate, returns=CheckpointView, tags=_JOBS)
    @named(f"update_{scope}_checkpoint")
    def pin(job_id: str, checkpoint_id: str, body: CheckpointUpdate) -> CheckpointView:
        """Pin a checkpoint, which is then kept, or unpin it."""
        return service.pin(job_id, checkpoint_id, body.pinned, kind)


def _add_forks(api: Api, service: JobService, scope: str, path: str, kind: str | None) -> None:
    prefix = path.rpartition("/")[0]

    @api.post(
        f"{path}/restart",
        body=RestartRequest,
        optional_body=True,
        returns=JobView,
        status=201,
        other_statuses=(200,),
        tags=_JOBS,
    )
    @named(f"restart_{scope}")
    def restart(job_id: str, body: RestartRequest) -> Reply:
        """Queue a new job like this one, from a checkpoint or from the beginning."""
        return accepted_reply(service.restart(job_id, body, kind, idempotency_key()), prefix)

    @api.post(f"{path}/extend", body=ExtendRequest, returns=JobView, status=201, other_statuses=(200,), tags=_JOBS)
    @named(f"extend_{scope}")
    def extend(job_id: str, body: ExtendRequest) -> Reply:
        """Queue a new job that trains a completed one for more epochs, or for more steps."""
        return accepted_reply(service.extend(job_id, body, kind, idempotency_key()), prefix)
