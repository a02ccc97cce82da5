"""Metric points: one value per (job, step, name), the newest attempt's."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, Double, Integer, Text, bindparam, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from kargah.jobstore.tables import metrics


def upsert(conn: Connection, job_id: str, generation: int, points: Mapping[tuple[int, str], float]) -> None:
    """Store `points` in one statement, replacing what older attempts had there. The caller holds the fence."""
    if not points:
        return
    arrays = func.unnest(
        bindparam("steps", [step for step, _ in points], ARRAY(Integer)),
        bindparam("names", [name for _, name in points], ARRAY(Text)),
        bindparam("points", list(points.values()), ARRAY(Double)),
    )
    rows = arrays.table_valued("step", "name", "value").render_derived()
    source = select(literal(job_id), rows.c.step, rows.c.name, rows.c.value, literal(generation), func.now())
    statement = insert(metrics).from_select(["job_id", "step", "name", "value", "generation", "at"], source)
    new = statement.excluded
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=[metrics.c.job_id, metrics.c.step, metrics.c.name],
            set_={"value": new.value, "generation": new.generation, "at": new.at},
        )
    )
