"""Trainings that have run already, as a measure for one that is to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Double, Row, cast, select

from kargah.contracts.estimates import FormerTraining
from kargah.domain.job_state import Status
from kargah.domain.kinds import Kind
from kargah.jobstore.tables import jobs, metrics

_LOOKED_THROUGH = 1000
_MOST = 20
_MEMORY = "memory_bytes"


def former_trainings(
    conn: Connection, base_model: str, recipe: str, devices: int, params: Mapping[str, Any]
) -> list[FormerTraining]:
    """The newest completed trainings of this base by this recipe on so many devices, with equal `params`; looked for
    among the last thousand. Only those that told how many tokens they went through in which time."""
    told = jobs.c.result["metrics"]
    latest = (
        select(jobs.c.id, jobs.c.name, jobs.c.worker, jobs.c.config, jobs.c.devices, told.label("told"))
        .where(jobs.c.kind == Kind.TRAIN.value, jobs.c.status == Status.COMPLETED.value)
        .order_by(jobs.c.created_at.desc(), jobs.c.id.desc())
        .limit(_LOOKED_THROUGH)
        .subquery()
    )
    peak = select(metrics.c.value).where(metrics.c.job_id == latest.c.id, metrics.c.name == _MEMORY)
    memory = peak.order_by(metrics.c.step.desc()).limit(1)  # the most so far, so the last one is the most of all
    tokens, seconds = (cast(latest.c.told[name].astext, Double) for name in ("tokens", "training_seconds"))
    rows = conn.execute(
        select(latest.c.id, latest.c.name, latest.c.worker, tokens.label("tokens"), seconds.label("seconds"))
        .add_columns(memory.scalar_subquery().label("memory"))
        .where(
            latest.c.devices == devices,
            latest.c.config["recipe"].astext == recipe,
            latest.c.config["baseModel"]["name"].astext == base_model,
            latest.c.config["params"].contains(dict(params)),
            tokens > 0,
            seconds > 0,
        )
        .limit(_MOST)
    )
    return [_former(row) for row in rows]


def _former(row: Row[Any]) -> FormerTraining:
    return FormerTraining(
        job_id=row.id,
        name=row.name,
        worker=row.worker,
        tokens_per_second=row.tokens / row.seconds,
        memory_bytes=None if row.memory is None else int(row.memory),
    )
