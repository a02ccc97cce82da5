"""Gathers what a trainer says into batches for the job store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kargah.contracts.runs import (
    EventMessage,
    LogMessage,
    MetricsMessage,
    PhaseMessage,
    ProgressMessage,
    TrainerMessage,
)
from kargah.domain.job_state import Status
from kargah.jobstore.values import Batch, EventEntry, LogEntry, MetricValue

_STATUS_OF = {"training": Status.TRAINING, "evaluating": Status.EVALUATING}
_MANY = 5000


@dataclass
class Collector:
    """`take` gives a batch, which stays here until `stored` says that it is in the database: after a failure the
    same batch is offered again, and nothing is lost or reordered."""

    _offered: Batch | None = None
    _status: Status | None = None
    _progress: dict[str, Any] = field(default_factory=dict)
    _metrics: list[MetricValue] = field(default_factory=list)
    _logs: list[LogEntry] = field(default_factory=list)
    _events: list[EventEntry] = field(default_factory=list)
    _resumed_at: int | None = None
    _note: str | None = None

    def add(self, message: TrainerMessage) -> None:
        """Checkpoints, outputs and endings are not for the store as they are, and are passed over here."""
        match message:
            case PhaseMessage():
                self._status = _STATUS_OF.get(message.phase, self._status)
                self.phase(message.phase)
            case ProgressMessage():
                self._progress |= message.model_dump(exclude={"type", "note"}, exclude_none=True)
                self._add_note(message.note)
            case MetricsMessage():
                self._metrics += [MetricValue(message.step, name, value) for name, value in message.values.items()]
            case LogMessage():
                self.log(message.level, message.message)
            case EventMessage():
                self.event(message.name, **message.data)

    def log(self, level: str, message: str) -> None:
        self._logs.append(LogEntry(level, message))

    def event(self, name: str, /, **data: Any) -> None:
        self._events.append(EventEntry(name, data))

    def phase(self, name: str) -> None:
        """From now on; what an evaluation had measured is told only while it goes on."""
        self._progress |= {"phase": name, "evaluated": None, "to_evaluate": None}

    def resumed_at(self, step: int) -> None:
        """The trainer starts after `step`; what earlier attempts reported beyond it will be done again."""
        self._resumed_at = step

    def full(self) -> bool:
        """Whether so much waits that no more should be taken in before some of it is stored."""
        return len(self._logs) + len(self._metrics) + len(self._events) > _MANY

    def take(self) -> Batch | None:
        """The next batch to store, None when there is nothing to tell."""
        if self._offered is None and self._anything():
            self._offered = Batch(
                status=self._status,
                progress=self._progress,
                metrics=self._metrics,
                logs=self._logs,
                events=self._events,
                resumed_at_step=self._resumed_at,
            )
            self._status, self._progress, self._resumed_at = None, {}, None
            self._metrics, self._logs, self._events = [], [], []
        return self._offered

    def stored(self) -> None:
        """The batch that `take` gave last is in the database."""
        self._offered = None

    def _anything(self) -> bool:
        told = self._progress or self._metrics or self._logs or self._events
        return bool(told) or self._status is not None or self._resumed_at is not None

    def _add_note(self, note: str | None) -> None:
        if note is not None and note != self._note:
            self._note = note
            self.log("info", note)
