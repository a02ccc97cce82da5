"""From what a trainer reports to the job's progress, and the statuses it passes through."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from kargah.contracts.jobs import Progress
from kargah.domain.job_state import Event, Status, next_status
from kargah.jobstore.clean import clean_json
from kargah.jobstore.values import Batch, MetricValue

# Metric name -> field of Progress, where they differ.
_FIELD_OF_METRIC = {"eval_accuracy": "accuracy", "eval_perplexity": "perplexity"}
_FIELDS_FROM_METRICS = frozenset({"loss", "learning_rate", "accuracy", "eval_loss", "perplexity", "tokens_per_second"})


def progress_change(batch: Batch) -> dict[str, Any]:
    """What `batch` changes in the stored progress: its own fields, then what its metrics imply.

    Raises ValueError for a field that Progress does not have.
    """
    unknown = set(batch.progress) - set(Progress.model_fields)
    if unknown:
        raise ValueError(f"not fields of Progress: {', '.join(sorted(unknown))}")
    change = {**_implied(batch.metrics), **batch.progress}
    cleaned: dict[str, Any] = clean_json(change)
    return cleaned


def finite(metrics: Iterable[MetricValue]) -> dict[tuple[int, str], float]:
    """The storable values by (step, name); the last one wins where a batch repeats itself."""
    return {(point.step, point.name): point.value for point in metrics if math.isfinite(point.value)}


def progress_event(change: Mapping[str, Any], metrics: Iterable[MetricValue]) -> dict[str, Any]:
    """The data of a `progress` event, camelCase: what changed, the new points, names of values that were not finite."""
    metrics = list(metrics)
    points = [{"step": step, "name": name, "value": value} for (step, name), value in finite(metrics).items()]
    not_finite = sorted({point.name for point in metrics if not math.isfinite(point.value)})
    view = Progress.model_validate(change).model_dump(mode="json", by_alias=True, exclude_unset=True)
    return {"progress": view, "metrics": points} | ({"notFinite": not_finite} if not_finite else {})


def steps_to(current: Status, wanted: Status | None) -> list[Status]:
    """The statuses to pass on the way from `current` to `wanted`, each change legal; none if there is no way."""
    path: list[Status] = []
    for event in (Event.INPUTS_READY, Event.EVALUATION_ENDED, Event.EVALUATION_STARTED):
        here = path[-1] if path else current
        if wanted is None or here is wanted:
            break
        after = next_status(here, event)
        if after is not None:
            path.append(after)
    return path if path and path[-1] is wanted else []


def _implied(metrics: Iterable[MetricValue]) -> dict[str, float]:
    implied: dict[str, float] = {}
    for point in metrics:
        name = _FIELD_OF_METRIC.get(point.name, point.name)
        if name in _FIELDS_FROM_METRICS and math.isfinite(point.value):
            implied[name] = point.value
    return implied
