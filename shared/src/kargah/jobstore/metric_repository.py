"""Metric points: one value per (job, step, name), the newest attempt's. They come by the hundred thousand: Postgres
takes arrays, and gives JSON that nothing here reads."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    Integer,
    Text,
    bindparam,
    func,
    literal,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, Insert, aggregate_order_by, insert

from kargah.jobstore.tables import metrics

# A point as JSON. Written out, for it is the same in every statement.
_POINT: ColumnElement[str] = literal_column(
    """concat('{"step":', step, ',"name":', to_json(name), ',"value":', value, ',"at":"',"""
    """ to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '"}')""",
    Text,
)


def upsert(conn: Connection, job_id: str, generation: int, points: Mapping[tuple[int, str], float]) -> None:
    """Store `points` in one statement, replacing what older attempts had there. The caller holds the fence."""
    if not points:
        return
    given = {
        "of_job": job_id,
        "by": generation,
        "steps": [step for step, _ in points],
        "names": [name for _, name in points],
        "points": list(points.values()),
    }
    conn.execute(_upsert(), given)


@cache
def _upsert() -> Insert:
    """Built once: every report with points runs it."""
    arrays = func.unnest(
        bindparam("steps", type_=ARRAY(Integer)),
        bindparam("names", type_=ARRAY(Text)),
        bindparam("points", type_=ARRAY(Double)),
    )
    rows = arrays.table_valued("step", "name", "value").render_derived()
    whose = (bindparam("of_job", type_=Text), bindparam("by", type_=Integer))
    source = select(whose[0], rows.c.step, rows.c.name, rows.c.value, whose[1], func.now())
    statement = insert(metrics).from_select(["job_id", "step", "name", "value", "generation", "at"], source)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=[metrics.c.job_id, metrics.c.step, metrics.c.name],
        set_={"value": new.value, "generation": new.generation, "at": new.at},
    )


def points_json(
    conn: Connection, job_id: str, *, name: str | None = None, after_step: int | None = None, steps: int = 10_000
) -> str:
    """The points of at most `steps` steps beyond `after_step`, by step, then name; whole steps only: a list of
    `contracts.jobs.MetricPoint` as it goes over the wire."""
    conditions = [metrics.c.job_id == job_id]
    if name is not None:
        conditions.append(metrics.c.name == name)
    if after_step is not None:
        conditions.append(metrics.c.step > after_step)
    chosen = select(metrics.c.step).where(*conditions).distinct().order_by(metrics.c.step).limit(steps)
    last = select(func.max(chosen.subquery().c.step)).scalar_subquery()
    all_points = func.string_agg(_POINT, aggregate_order_by(literal(","), metrics.c.step, metrics.c.name))
    listed = conn.execute(select(all_points).where(*conditions, metrics.c.step <= last)).scalar_one()
    return f"[{listed or ''}]"
