"""The resume record: what interruptions cost a job, and the proof that they changed nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from kargah.jobstore.tables import attempts, metrics

STEP_METRIC = "learning_rate"  # the one that every step has, also a step without anything to learn
COMPARED = "loss"
_KEPT = 5000


def begin_at(conn: Connection, job_id: str, generation: int, step: int) -> None:
    """The attempt begins after `step`: points beyond it leave the job's history, and stay with the attempts that made
    them, to be compared with those of the steps done again."""
    beyond = delete(metrics).where(metrics.c.job_id == job_id, metrics.c.step > step)
    gone = conn.execute(beyond.returning(metrics.c.generation, metrics.c.step, metrics.c.name, metrics.c.value)).all()
    own = attempts.c.job_id == job_id
    for earlier in {row.generation for row in gone}:
        lost = _lost(gone, earlier)
        conn.execute(update(attempts).where(own, attempts.c.generation == earlier).values(superseded=lost))
    conn.execute(update(attempts).where(own, attempts.c.generation == generation).values(resumed_step=step))


def with_record(conn: Connection, job_id: str, result: Mapping[str, Any]) -> dict[str, Any]:
    """`result` with the resume record as `resume`; the trainer's own part of it is the sampler's hash."""
    sampler = (result.get("metrics") or {}).get("sampler_sha256")
    return {**result, "resume": resume_record(conn, job_id) | {"samplerSha256": sampler}}


def resume_record(conn: Connection, job_id: str) -> dict[str, Any]:
    """Of a job that is about to complete, camelCase as in JobView's `result`.

    `lossesContinuous`: every step from the first to the last is there once. `redoneIdentical`: each loss that an
    interrupted attempt had reported was met again to the last bit (None when no step was done twice).
    """
    rows = conn.execute(select(attempts).where(attempts.c.job_id == job_id).order_by(attempts.c.generation)).all()
    differences = _differences(conn, job_id, rows)
    first, last, count = _steps(conn, job_id)
    return {
        "attempts": len(rows),
        "endings": dict(Counter(row.outcome for row in rows if row.outcome is not None)),
        "stepsLost": sum(len(row.superseded or ()) for row in rows),
        "redoneIdentical": not any(differences) if differences else None,
        "largestLossDifference": max(differences, default=0.0),
        "firstStep": first,
        "lastStep": last,
        "lossesContinuous": count == (last - first + 1 if last else 0),
    }


def _lost(gone: Sequence[Any], generation: int) -> list[list[float | None]]:
    """[step, loss] of each step of `generation`, the newest 5,000."""
    losses = {row.step: row.value for row in gone if row.generation == generation and row.name == COMPARED}
    steps = {row.step for row in gone if row.generation == generation and row.name == STEP_METRIC} | losses.keys()
    return [[step, losses.get(step)] for step in sorted(steps)[-_KEPT:]]


def _differences(conn: Connection, job_id: str, rows: Sequence[Row[Any]]) -> list[float]:
    """Of each redone step's loss, from what it was before."""
    lost = [(step, loss) for row in rows for step, loss in row.superseded or () if loss is not None]
    if not lost:
        return []
    found = conn.execute(
        select(metrics.c.step, metrics.c.value).where(
            metrics.c.job_id == job_id, metrics.c.name == COMPARED, metrics.c.step.in_([step for step, _ in lost])
        )
    )
    final = {row.step: row.value for row in found}
    return [abs(final[step] - loss) for step, loss in lost if step in final]


def _steps(conn: Connection, job_id: str) -> tuple[int, int, int]:
    """First, last and number of the steps in the job's history; zeros when there are none."""
    row = conn.execute(
        select(func.min(metrics.c.step), func.max(metrics.c.step), func.count()).where(
            metrics.c.job_id == job_id, metrics.c.name == STEP_METRIC
        )
    ).one()
    return row[0] or 0, row[1] or 0, row[2]
