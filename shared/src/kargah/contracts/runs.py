"""What the worker's agent and its trainer say to each other: JSON lines over a pipe each way."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from kargah.domain.kinds import Kind

Step = Annotated[int, Field(ge=0, lt=2**31)]
MetricName = Annotated[str, Field(min_length=1, max_length=200)]


class Message(BaseModel):
    """One line of JSON, in which NaN and Infinity stay what they are. Both ends are of one release, so an unknown field
    is a bug and is refused."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=(), ser_json_inf_nan="constants")


class NodePlan(Message):
    """A run on several machines, each with up to `devices`. Node 0 lets the others in at `address` (host:port) if they
    prove, by the `key` of this `run`, that they belong to it. For one of those: its ranks begin at `first`, and all
    ranks meet at `meeting_port` of the same host; it has no key.
    """

    devices: int = Field(ge=1)
    address: str
    run: str
    key: str = ""
    first: int = 0
    meeting_port: int = 0


class RunSpec(Message):
    """All a trainer needs; it has no credentials and no network. Every path is absolute and local.

    `model_dir` is a Hugging Face model folder; `base_dir` is given as well when `model_dir` holds an adapter.
    `dataset_path` is the version's canonical JSONL, `dataset_format` its format. Where the version has splits,
    `splits_path` holds a byte a row: its split's place in `split_names`. `resume_dir` is a verified checkpoint to
    go on from. `work_dir` is this attempt's own, for checkpoints and output. `cache_dir` outlives attempts
    (tokenised data, keyed by content). `devices` processes share the run and its `threads`, on this machine alone
    unless `nodes` says otherwise: then all paths are the same on all of them. `facts` goes into the model card.
    """

    job_id: str
    generation: int
    kind: Kind = Kind.TRAIN
    recipe: str
    params: dict[str, Any]
    model_dir: str | None = None
    base_dir: str | None = None
    dataset_path: str | None = None
    dataset_format: str | None = None
    dataset_sha256: str | None = None
    splits_path: str | None = None
    splits_sha256: str | None = None
    split_names: list[str] = []
    resume_dir: str | None = None
    work_dir: str
    cache_dir: str
    threads: int = 0
    devices: int = 1
    nodes: NodePlan | None = None
    facts: dict[str, Any] = {}


class FileEntry(Message):
    """One file under a checkpoint or output folder."""

    path: str
    size_bytes: int
    sha256: str


class PhaseMessage(Message):
    """The trainer entered a phase: preparing, training, evaluating, saving. The agent's hang deadlines follow it."""

    type: Literal["phase"] = "phase"
    phase: Literal["preparing", "training", "evaluating", "saving"]


class ProgressMessage(Message):
    """A sign of life with where it stands; sent at least every few seconds while it works. While rows are measured,
    `evaluated` of `to_evaluate` are done."""

    type: Literal["progress"] = "progress"
    percent: float = Field(ge=0, le=100)
    step: int | None = None
    total_steps: int | None = None
    epoch: float | None = None
    epochs: float | None = None
    eta_seconds: float | None = None
    evaluated: int | None = None
    to_evaluate: int | None = None
    note: str | None = None


class MetricsMessage(Message):
    """Values at an optimizer step, e.g. loss, learning_rate, grad_norm, eval_loss, eval_accuracy, tokens_per_second."""

    type: Literal["metrics"] = "metrics"
    step: Step
    epoch: float
    values: dict[MetricName, float]


class LogMessage(Message):
    """One line for the job's log."""

    type: Literal["log"] = "log"
    level: Literal["debug", "info", "warning", "error"] = "info"
    message: str


class EventMessage(Message):
    """Something worth telling in the job's history (samples, a halved batch); stored as an Event of type `name`."""

    type: Literal["event"] = "event"
    name: str
    data: dict[str, Any] = {}


class CheckpointMessage(Message):
    """A complete checkpoint in `directory`, every file closed and hashed; the agent uploads, commits, deletes it."""

    type: Literal["checkpoint"] = "checkpoint"
    directory: str
    step: Step
    epoch: float
    reason: Literal["interval", "epoch", "requested", "pause", "stop", "drain", "final"]
    files: list[FileEntry]
    metrics: dict[MetricName, float] = {}


class OutputMessage(Message):
    """What was made, every file closed and hashed: a model folder or a dataset's rows, which the agent registers, or
    the figures of an evaluation, which `metrics` holds whole. `lineage`: what else is to be remembered of how it was
    made (the chat template's hash, the libraries' versions)."""

    type: Literal["output"] = "output"
    directory: str
    files: list[FileEntry]
    metrics: dict[str, Any] = {}
    lineage: dict[str, Any] = {}


class DoneMessage(Message):
    """The last message of a good run. `paused` and `drained` follow a checkpoint; the others follow an output."""

    type: Literal["done"] = "done"
    outcome: Literal["finished", "stopped", "paused", "drained"]


class FailedMessage(Message):
    """The last message of a failed run. `permanent` errors are not retried."""

    type: Literal["failed"] = "failed"
    code: str
    message: str
    hint: str | None = None
    permanent: bool


class ControlMessage(Message):
    """Agent to trainer: acted on at the next step. `drain` is a pause that puts the job back in the queue."""

    type: Literal["control"] = "control"
    action: Literal["pause", "stop", "checkpoint", "drain"]


TrainerMessage = Annotated[
    PhaseMessage
    | ProgressMessage
    | MetricsMessage
    | LogMessage
    | EventMessage
    | CheckpointMessage
    | OutputMessage
    | DoneMessage
    | FailedMessage,
    Field(discriminator="type"),
]

trainer_message: TypeAdapter[TrainerMessage] = TypeAdapter(TrainerMessage)
