"""The job state table: the one place that says which change of status is legal.

Guards in SQL, the documentation and the diagram are all derived from `TRANSITIONS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from kargah.domain.kinds import facts_of


class Status(StrEnum):
    """Where a job stands. There are no transitory statuses: a wish not yet served is a `Desired` beside the status."""

    PENDING = "pending"
    PREPARING = "preparing"
    TRAINING = "training"
    EVALUATING = "evaluating"
    PAUSED = "paused"
    COMPLETED = "completed"
    ERROR = "error"
    CANCELLED = "cancelled"


class Desired(StrEnum):
    """What the user last asked of a running job; the worker serves it within a second."""

    RUN = "run"
    PAUSE = "pause"
    STOP = "stop"


class Event(StrEnum):
    """What can happen to a job."""

    SUBMIT = "submit"
    CLAIM = "claim"
    INPUTS_READY = "inputs_ready"
    EVALUATION_STARTED = "evaluation_started"
    EVALUATION_ENDED = "evaluation_ended"
    FINISH = "finish"
    PAUSED = "paused"
    RESUME = "resume"
    REQUEUE = "requeue"
    FAIL = "fail"
    CANCEL = "cancel"


class Cause(StrEnum):
    """Why something became of a job, or of a checkpoint, by no fault of the job's: the code beside an event's
    `reason`, which is a sentence."""

    SHUTTING_DOWN = "shutting_down"
    NOT_SAVED = "not_saved"
    NOT_STORED = "not_stored"
    UNAVAILABLE = "unavailable"
    PAUSE_WITHDRAWN = "pause_withdrawn"
    DAMAGED = "damaged"
    WENT_BACK = "went_back"


@dataclass(frozen=True, slots=True)
class Transition:
    """One legal change: any of `sources`, on `event`, becomes `target`."""

    event: Event
    sources: frozenset[Status]
    target: Status
    meaning: str


ACTIVE = frozenset({Status.PREPARING, Status.TRAINING, Status.EVALUATING})
TERMINAL = frozenset({Status.COMPLETED, Status.ERROR, Status.CANCELLED})
CANCELLABLE = ACTIVE | {Status.PENDING, Status.PAUSED}

TRANSITIONS: tuple[Transition, ...] = (
    Transition(Event.CLAIM, frozenset({Status.PENDING}), Status.PREPARING, "a worker takes it: new attempt, lease"),
    Transition(Event.INPUTS_READY, frozenset({Status.PREPARING}), Status.TRAINING, "model and data are on the worker"),
    Transition(Event.EVALUATION_STARTED, frozenset({Status.TRAINING}), Status.EVALUATING, "evaluation starts"),
    Transition(Event.EVALUATION_ENDED, frozenset({Status.EVALUATING}), Status.TRAINING, "evaluation ends"),
    Transition(Event.FINISH, ACTIVE, Status.COMPLETED, "finished or stopped early; the result is registered"),
    Transition(
        Event.PAUSED,
        ACTIVE | {Status.PENDING},
        Status.PAUSED,
        "checkpoint saved, device freed (or taken from the queue)",
    ),
    Transition(Event.RESUME, frozenset({Status.PAUSED}), Status.PENDING, "queued again, from the last checkpoint"),
    Transition(Event.REQUEUE, ACTIVE, Status.PENDING, "drained, lease lost or a retryable error with tries left"),
    Transition(Event.FAIL, ACTIVE, Status.ERROR, "permanent error, or tries spent"),
    Transition(Event.CANCEL, CANCELLABLE, Status.CANCELLED, "cancelled; checkpoints are kept"),
)


@dataclass(frozen=True, slots=True)
class Control:
    """What a user may ask for: `legal` where it does something, `served` where what it asks for is so already, and
    asking again is answered well without a change."""

    legal: frozenset[Status]
    served: frozenset[Status] = frozenset()


CONTROLS: Mapping[str, Control] = {
    "pause": Control(ACTIVE | {Status.PENDING}, frozenset({Status.PAUSED})),
    "resume": Control(frozenset({Status.PAUSED}), ACTIVE | {Status.PENDING}),
    "stop": Control(ACTIVE, frozenset({Status.COMPLETED})),
    "checkpoint": Control(ACTIVE),
    "cancel": Control(CANCELLABLE, frozenset({Status.CANCELLED})),
    "restart": Control(TERMINAL | {Status.PAUSED}),
    "extend": Control(frozenset({Status.COMPLETED})),
}

_OF_TRAINING = frozenset({"stop", "checkpoint", "extend"})
_BY_EVENT = {transition.event: transition for transition in TRANSITIONS}


def transition(event: Event) -> Transition:
    """The row of the table for `event`. `submit` has none: it creates the job as `pending`."""
    return _BY_EVENT[event]


def next_status(status: Status, event: Event) -> Status | None:
    """The status after `event`, or None where the table does not allow it."""
    row = _BY_EVENT.get(event)
    return row.target if row is not None and status in row.sources else None


def controls(status: Status, kind: str) -> tuple[str, ...]:
    """The user's controls that are legal for a job of `kind` in `status`, for error messages and for buttons."""
    return tuple(name for name, control in CONTROLS.items() if status in control.legal and applies(name, kind))


def applies(control: str, kind: str) -> bool:
    """Whether jobs of `kind` have the control at all: only a training has a model to keep half-way."""
    return control not in _OF_TRAINING or facts_of(kind).trains


def table_markdown() -> str:
    """The table as Markdown, as ARCHITECTURE.md carries it (a test compares the two)."""
    rows = [
        "| from | event | to | meaning |",
        "|---|---|---|---|",
        "| - | submit | pending | accepted and queued |",
    ]
    for row in TRANSITIONS:
        sources = ", ".join(status.value for status in Status if status in row.sources)
        rows.append(f"| {sources} | {row.event.value} | {row.target.value} | {row.meaning} |")
    return "\n".join(rows)
