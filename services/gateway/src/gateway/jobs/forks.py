"""New jobs out of old ones: the same again, from a checkpoint or from the beginning, or for some time more."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gateway.jobs.draft import Draft
from gateway.jobs.param_messages import range_of
from gateway.jobs.params import Schema, check_params, narrowed
from gateway.jobs.submitted import Given
from kargah.contracts.jobs import ExtendRequest, JobView, RecipeView, RestartRequest
from kargah.db.engine import Connection
from kargah.domain.errors import Conflict, FieldError, Invalid
from kargah.domain.job_state import Status
from kargah.jobstore.checkpoint_repository import hand_over

_LONGEST_NAME = 200
_WORDS = {"epochs": "epochs", "max_steps": "steps"}
_SEQUEL = re.compile(r"(?P<stem>.*\S) \((?P<number>[0-9]{1,6})\)")


def restarted(conn: Connection, job: JobView, request: RestartRequest) -> Draft:
    """The job again. Raises Invalid for a checkpoint that it does not have."""
    if request.checkpoint is not None and request.from_scratch:
        message = "Contradicts fromScratch: give one of them."
        raise Invalid("The restart is not clear.", errors=[FieldError("checkpoint", message, "doubled")])
    from_start = request.from_scratch or (request.checkpoint is None and job.status is Status.COMPLETED)
    start = None if from_start else hand_over(conn, job.id, request.checkpoint)
    config = job.config.model_copy(update={"start": start or (None if from_start else job.config.start)})
    return Draft(request.name or job.name, config)


def extended(conn: Connection, job: JobView, request: ExtendRequest, recipes: Sequence[RecipeView]) -> Draft:
    """The job with more epochs or steps, from the last checkpoint; its learning-rate schedule is that of the longer
    run. Raises Conflict when no checkpoint is left, Invalid beyond what its recipe takes."""
    longer = _longer(job, request)
    _require_ranges(job, request, longer, recipes)
    start = hand_over(conn, job.id, None)
    if start is None:
        raise Conflict(
            f"Job {job.id} has no checkpoint left to go on from.", hint="Train its model further with a new job."
        )
    config = job.config.model_copy(update={"params": {**job.config.params, **longer}, "start": start})
    return Draft(request.name or sequel(job.name), config)


def sequel(name: str) -> str:
    """What a job is called that goes on where `name` ended: `qa (2)` after `qa`, `qa (3)` after that."""
    match = _SEQUEL.fullmatch(name)
    stem, number = (name, 1) if match is None else (match["stem"], int(match["number"]))
    mark = f" ({number + 1})"
    return stem[: _LONGEST_NAME - len(mark)] + mark


def _longer(job: JobView, request: ExtendRequest) -> Mapping[str, int]:
    """The parameters that say how long, as they are to be."""
    params = job.config.params
    if request.steps is not None:
        if request.epochs is not None:
            raise _unclear("steps", "Contradicts epochs: give one of them.", "doubled")
        total, per_epoch = _length(job)
        steps = total + request.steps
        return {"max_steps": steps, "epochs": max(int(params["epochs"]), -(-steps // per_epoch))}
    if request.epochs is None:
        raise _unclear("epochs", "Say how many more, or how many more steps.", "missing")
    epochs = int(params["epochs"]) + request.epochs
    if params.get("max_steps") is None:
        return {"epochs": epochs}
    return {"epochs": epochs, "max_steps": params["max_steps"] + request.epochs * _length(job)[1]}


def _length(job: JobView) -> tuple[int, int]:
    """Steps in all and in an epoch, as the job's trainer told them: the steps it had, and the epochs that they were."""
    steps, epochs = job.progress.total_steps, job.progress.epochs
    if not steps or not epochs:
        raise Conflict(f"It is not known how many steps an epoch of job {job.id} has.", hint="Submit a new job.")
    return steps, max(1, round(steps / epochs))


def _require_ranges(
    job: JobView, request: ExtendRequest, longer: Mapping[str, int], recipes: Sequence[RecipeView]
) -> None:
    """Of the whole; a recipe that nobody offers any more has none."""
    schema: Schema = next((one.params_schema for one in recipes if one.name == job.config.recipe), {})
    properties: Mapping[str, Schema] = schema.get("properties", {})
    field, advanced = "epochs" if request.steps is None else "steps", job.config.submitted.get("advanced") is True
    for name, total in longer.items():
        _, errors = check_params(schema, {name: Given(total, name)}, advanced=advanced)
        if name in properties and any(error.field == name for error in errors):
            allowed = range_of(narrowed(properties[name], total, advanced=advanced))
            message = f"The job would have {total} {_WORDS[name]} in all, and may have {allowed}."
            raise Invalid("The job cannot get that long.", errors=[FieldError(field, message, "out_of_range")])


def _unclear(field: str, message: str, code: str) -> Invalid:
    return Invalid("The extension is not clear.", errors=[FieldError(field, message, code)])
