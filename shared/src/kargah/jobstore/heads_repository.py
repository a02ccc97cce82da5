"""`kargah.domain.queue_policy` in SQL: the first waiting jobs of each owner, in the order of the claim.

Costs follow how many owners wait, not how many jobs: owners are found by skipping through the index of the queue,
and of each one only its first jobs are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    Column,
    ColumnElement,
    Connection,
    Float,
    Integer,
    Select,
    Text,
    all_,
    bindparam,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.sql.selectable import LateralFromClause

from kargah.domain.queue_policy import FAIR_SHARE_SECONDS, MOST_DEVICES, QUOTA_KIND, Head
from kargah.jobstore.tables import IS_ACTIVE, IS_PENDING, jobs, owners

Place = tuple[str, str]
_AT_ONCE = 8
_SHARE = literal(FAIR_SHARE_SECONDS, Float)


def next_heads(
    conn: Connection, kinds: Sequence[str], passed: Sequence[Place] = (), devices: int = MOST_DEVICES
) -> list[Head]:
    """The best heads whose owners have room, best first, among jobs that ask for at most `devices`; none of the
    (owner, kind) in `passed`."""
    given = {"kinds": list(kinds), "passed": [" ".join(place) for place in passed], "devices": devices}
    return [Head(*row) for row in conn.execute(_next_statement(), given)]


def overdue_heads(conn: Connection, waited_seconds: float, per_kind: int) -> list[Place]:
    """(job id, kind) of the best `per_kind` jobs of each kind that have waited so long though they may start."""
    kind = waiting_values("waiting_kinds", jobs.c.kind)
    found = _heads(kind.c.value, each=per_kind, waited_seconds=waited_seconds).subquery()
    order = found.c.rank + found.c.running * _SHARE
    place = func.row_number().over(partition_by=found.c.kind, order_by=(order, found.c.job_id))
    numbered = select(found.c.job_id, found.c.kind, place.label("place")).subquery()
    rows = conn.execute(select(numbered.c.job_id, numbered.c.kind).where(numbered.c.place <= per_kind))
    return [(row.job_id, row.kind) for row in rows]


def waiting_values(name: str, column: Column[str]) -> CTE:
    """The distinct values (`value`) of a column that leads an index of waiting jobs, skipping from one to the next."""
    found = select(func.min(column).label("value")).where(IS_PENDING).cte(name, recursive=True)
    following = select(func.min(column)).where(IS_PENDING, column > found.c.value).scalar_subquery()
    return found.union_all(select(following).where(found.c.value.is_not(None)))


def trainings_of(owner: ColumnElement[str]) -> LateralFromClause:
    """How many trainings the owner runs now, as `running`."""
    counted = select(func.count().label("running"))
    return counted.where(IS_ACTIVE, jobs.c.owner == owner, jobs.c.kind == QUOTA_KIND).lateral("load")


@cache
def _next_statement() -> Select[Any]:
    """Built once: every poll of every worker runs it."""
    kind = func.unnest(bindparam("kinds", type_=ARRAY(Text))).column_valued("wanted")  # not "kind": jobs has one
    fits = jobs.c.devices <= bindparam("devices", type_=Integer)
    statement = _heads(kind, each=1, waited_seconds=0.0, fits=fits).limit(_AT_ONCE)
    place = statement.selected_columns.owner + " " + statement.selected_columns.kind
    return statement.where(place != all_(bindparam("passed", type_=ARRAY(Text))))


def _heads(
    kind: ColumnElement[str], *, each: int, waited_seconds: float, fits: ColumnElement[bool] | None = None
) -> Select[Any]:
    """The columns of `Head`, best first; `kind` is a column with the kinds that are wanted, `fits` tells which jobs
    are."""
    owner = waiting_values("waiting", jobs.c.owner).c.value
    first = (
        select(jobs.c.id, jobs.c.rank)
        .where(
            IS_PENDING,
            jobs.c.owner == owner,
            jobs.c.kind == kind,
            jobs.c.queued_at <= func.now() - timedelta(seconds=waited_seconds),
            true() if fits is None else fits,
        )
        .order_by(jobs.c.rank, jobs.c.id)
        .limit(each)
        .lateral("first")
    )
    running = trainings_of(owner).c.running
    limit = select(owners.c.max_running).where(owners.c.name == owner).scalar_subquery()
    room = or_(kind != QUOTA_KIND, func.coalesce(running < limit, True))
    return (
        select(
            owner.label("owner"),
            kind.label("kind"),
            first.c.rank.label("rank"),
            first.c.id.label("job_id"),
            running.cast(Integer).label("running"),
            limit.label("max_running"),
        )
        .where(room)
        .order_by(first.c.rank + running * _SHARE, first.c.id)
    )
