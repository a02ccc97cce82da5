"""From rows to the wire."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from kargah.contracts.jobs import (
    AttemptView,
    CheckpointView,
    EventView,
    JobConfig,
    JobError,
    JobView,
    LogLine,
    Progress,
)
from kargah.domain.job_state import Desired, Status, controls


def job_view(row: Any) -> JobView:
    """A row of `jobs` with its `duration_seconds`, which is the database's to reckon."""
    status = Status(row.status)
    return JobView(
        id=row.id,
        kind=row.kind,
        name=row.name,
        status=status,
        desired=Desired(row.desired),
        owner=row.owner,
        priority=row.priority,
        config=_config(row.config),
        progress=Progress.model_validate(row.progress),
        controls=list(controls(status, row.kind)),
        attempt=row.generation,
        worker=row.worker,
        error=_error(row.error),
        result=row.result,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        duration_seconds=None if row.started_at is None else round(row.duration_seconds, 3),
    )


def attempt_view(row: Any) -> AttemptView:
    return AttemptView(
        attempt=row.generation,
        worker=row.worker,
        started_at=row.started_at,
        ended_at=row.ended_at,
        outcome=row.outcome,
        error=_error(row.error),
        resumed_step=row.resumed_step,
        steps_lost=len(row.superseded or ()),
    )


def checkpoint_view(row: Any) -> CheckpointView:
    return CheckpointView(
        id=row.id,
        job_id=row.job_id,
        step=row.step,
        epoch=row.epoch,
        attempt=row.generation,
        size_bytes=row.size_bytes,
        reason=row.reason,
        metrics={name: value for name, value in row.metrics.items() if value is not None},
        pinned=row.pinned,
        created_at=row.created_at,
    )


def event_view(row: Any) -> EventView:
    return EventView(number=row.number, type=row.type, data=row.data, at=row.at)


def log_line(row: Any) -> LogLine:
    return LogLine(number=row.number, at=row.at, level=row.level, message=row.message, attempt=row.generation)


def _config(document: dict[str, Any]) -> JobConfig:
    """One that another release wrote and this one cannot read is shown as it is: it must not hide the other jobs."""
    try:
        return JobConfig.model_validate(document)
    except ValidationError:
        return JobConfig(recipe="unreadable", output_model="", params={}, submitted=document)


def _error(document: dict[str, Any] | None) -> JobError | None:
    return None if document is None else JobError.model_validate(document)
