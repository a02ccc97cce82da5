"""Jobs on the wire: `POST /api/train/jobs` and what comes back."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from kargah.contracts.base import Timestamp, Wire, WireRequest
from kargah.domain.job_state import Desired, Status
from kargah.domain.names import NAME_PATTERN

JobName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
"""What people call a job: one line, without control characters."""


class QueuedRequest(WireRequest):
    """What every request to queue something may say: `priority` -100 (last) to 100 (first), and whose job it is, for
    shares and quotas."""

    priority: int = Field(default=0, ge=-100, le=100)
    owner: str = Field(default="local", pattern=NAME_PATTERN)


class JobCreate(QueuedRequest):
    """What a client submits.

    `config` holds the references (`baseModelPath` or `baseModel`, `datasetPath` or `dataset`, `outputDir` or
    `outputModel`, `recipe`, `advanced`, `devices` and `nodes`: how many of one worker share the job, on so many
    machines each) and the recipe's own parameters, in camelCase or snake_case.
    """

    name: JobName
    config: dict[str, Any]


class ModelRef(Wire):
    """An immutable model version: what the job will train from, or what it made."""

    name: str
    version: int
    version_id: str


class DatasetRef(Wire):
    """An immutable dataset version."""

    name: str
    version: int
    version_id: str


class StartRef(Wire):
    """The checkpoint of another job that a job goes on from, after `step` finished steps."""

    job_id: str
    checkpoint_id: str
    step: int


class JobConfig(Wire):
    """The snapshot taken at submit: references resolved to immutable versions, parameters validated.

    `params` is in snake_case as the recipe's `Params` reads it. `submitted` is what the client sent, unchanged.
    `output_model` or `output_dataset` names what the job makes, if it makes one. `devices` of one worker share the run.
    """

    recipe: str
    base_model: ModelRef | None = None
    dataset: DatasetRef | None = None
    output_model: str | None = None
    output_dataset: str | None = None
    params: dict[str, Any]
    submitted: dict[str, Any] = {}
    start: StartRef | None = None
    devices: int = Field(default=1, ge=1)


class Progress(Wire):
    """How far a job is. `percent` 0-100; `epoch` is fractional; `eta_seconds` None until it can be estimated. While
    rows are measured, `evaluated` of `to_evaluate` are done."""

    percent: float = 0.0
    phase: str | None = None
    epoch: float | None = None
    epochs: float | None = None
    step: int | None = None
    total_steps: int | None = None
    loss: float | None = None
    learning_rate: float | None = None
    accuracy: float | None = None
    eval_loss: float | None = None
    perplexity: float | None = None
    tokens_per_second: float | None = None
    eta_seconds: float | None = None
    evaluated: int | None = None
    to_evaluate: int | None = None


class JobError(Wire):
    """Why a job ended in `error`, or why its last attempt failed. `code` e.g. `out_of_memory`, `nan_loss`."""

    code: str
    message: str
    hint: str | None = None
    permanent: bool = True


class JobView(Wire):
    """A job as the API shows it. `controls` lists the actions that are legal now; `duration_seconds` of running."""

    id: str
    kind: str
    name: str
    status: Status
    desired: Desired
    owner: str
    priority: int
    config: JobConfig
    progress: Progress
    controls: list[str]
    attempt: int
    worker: str | None = None
    error: JobError | None = None
    result: dict[str, Any] | None = None
    created_at: Timestamp
    started_at: Timestamp | None = None
    finished_at: Timestamp | None = None
    duration_seconds: float | None = None


class LogLine(Wire):
    """One line of a job's log; `number` counts from 1 and never repeats."""

    number: int
    at: Timestamp
    level: str
    message: str
    attempt: int


class LogPage(Wire):
    """The last lines, oldest first. `total` counts every line kept."""

    lines: list[LogLine]
    total: int


class MetricPoint(Wire):
    """One value of one metric at one optimizer step."""

    step: int
    name: str
    value: float
    at: Timestamp


class MetricSeries(Wire):
    """All points of a job, by step, then name."""

    points: list[MetricPoint]


class EventView(Wire):
    """Something that happened to a job; `number` is its place in the job's history and the SSE id."""

    number: int
    type: str
    data: dict[str, Any]
    at: Timestamp


class CheckpointView(Wire):
    """A committed checkpoint; only verified ones are listed. `size_bytes` of all its files."""

    id: str
    job_id: str
    step: int
    epoch: float
    attempt: int
    size_bytes: int
    reason: str
    metrics: dict[str, float]
    pinned: bool
    created_at: Timestamp


class ResumeRequest(WireRequest):
    """How a paused job goes on: from `checkpoint` (its id; later ones are given up), or from its newest."""

    checkpoint: str | None = Field(default=None, min_length=1, max_length=100)


class RestartRequest(WireRequest):
    """A new job like this one: from `checkpoint`, from the beginning (`fromScratch`), or, when neither is given, from
    the newest checkpoint of a job that did not complete and from the beginning of one that did."""

    checkpoint: str | None = Field(default=None, min_length=1, max_length=100)
    from_scratch: bool = False
    name: JobName | None = None


class ExtendRequest(WireRequest):
    """A new job that trains a completed one's model further, from its last checkpoint: for `epochs` more, or for
    `steps` more. The recipe's ranges hold for the whole. Without `name` it is called as a sequel: `qa (2)` after `qa`.
    """

    epochs: int | None = Field(default=None, ge=1, le=10_000)
    steps: int | None = Field(default=None, ge=1, le=100_000_000)
    name: JobName | None = None


class CheckpointUpdate(WireRequest):
    """A pinned checkpoint is kept, however old it gets."""

    pinned: bool


class JobUpdate(WireRequest):
    """What may be changed of a job that has not ended."""

    priority: int = Field(ge=-100, le=100)


class AttemptView(Wire):
    """One execution of a job by one worker. `outcome` None while it runs. It began after `resumed_step`; `steps_lost`
    counts those of its steps that a later attempt did again."""

    attempt: int
    worker: str
    started_at: Timestamp
    ended_at: Timestamp | None = None
    outcome: str | None = None
    error: JobError | None = None
    resumed_step: int | None = None
    steps_lost: int = 0


class RecipeView(Wire):
    """A kind of training that some worker has published: `params_schema` is JSON Schema (draft 2020-12).

    A property's `basic` holds the narrower range that applies unless `config.advanced` is true.
    `model_kinds` and `formats` say what it trains, `measures` which kinds of model it evaluates; a property with
    `measures: true` is one that an evaluation takes as well. `rank` orders the automatic choice, lowest first.
    """

    name: str
    title: str
    description: str
    model_kinds: list[str]
    formats: list[str]
    measures: list[str] = []
    rank: int
    params_schema: dict[str, Any]
