"""New jobs out of old ones: the same again, from a checkpoint or from the beginning, or for some epochs more."""

from __future__ import annotations

from kargah.contracts.jobs import ExtendRequest, JobConfig, JobView, RestartRequest
from kargah.db.engine import Connection
from kargah.domain.errors import Conflict, FieldError, Invalid
from kargah.domain.job_state import Status
from kargah.jobstore.checkpoint_repository import hand_over

_MOST_EPOCHS = 100


def restarted(conn: Connection, job: JobView, request: RestartRequest) -> JobConfig:
    """The configuration of the job again. Raises Invalid for a checkpoint that it does not have."""
    if request.checkpoint is not None and request.from_scratch:
        message = "Contradicts fromScratch: give one of them."
        raise Invalid("The restart is not clear.", errors=[FieldError("checkpoint", message, "doubled")])
    from_start = request.from_scratch or (request.checkpoint is None and job.status is Status.COMPLETED)
    start = None if from_start else hand_over(conn, job.id, request.checkpoint)
    return job.config.model_copy(update={"start": start or (None if from_start else job.config.start)})


def extended(conn: Connection, job: JobView, request: ExtendRequest) -> JobConfig:
    """The configuration with more epochs, from the last checkpoint; its learning-rate schedule is that of the longer
    run. Raises Conflict when no checkpoint is left, Invalid beyond 100 epochs."""
    epochs = int(job.config.params["epochs"]) + request.epochs
    if epochs > _MOST_EPOCHS and job.config.submitted.get("advanced") is not True:
        message = f"The job would have {epochs} epochs in all, and may have {_MOST_EPOCHS}."
        raise Invalid("The job cannot get that long.", errors=[FieldError("epochs", message, "too_large")])
    start = hand_over(conn, job.id, None)
    if start is None:
        raise Conflict(
            f"Job {job.id} has no checkpoint left to go on from.", hint="Train its model further with a new job."
        )
    params = {**job.config.params, "epochs": epochs}
    if params.get("max_steps") is not None:
        params["max_steps"] += request.epochs * _steps_per_epoch(job)
    return job.config.model_copy(update={"params": params, "start": start})


def _steps_per_epoch(job: JobView) -> int:
    """As the job's trainer told it: the steps it had, and the epochs that they were."""
    steps, epochs = job.progress.total_steps, job.progress.epochs
    if not steps or not epochs:
        raise Conflict(f"It is not known how many steps an epoch of job {job.id} has.", hint="Submit a new job.")
    return max(1, round(steps / epochs))
