"""The queue as people ask for it: who waits, in which order, and what keeps each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    Connection,
    Float,
    Integer,
    Row,
    Select,
    Text,
    all_,
    and_,
    any_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    true,
)

from kargah.contracts.queue import OwnerView
from kargah.domain.queue_policy import FAIR_SHARE_SECONDS, MOST_DEVICES, PRIORITY_SECONDS, QUOTA_KIND
from kargah.jobstore.heads_repository import trainings_of, waiting_values
from kargah.jobstore.tables import IS_PENDING, attempts, jobs, owners

_COUNTED = 10_000
_WAITED = (
    func.extract("epoch", func.now()).cast(Float) - jobs.c.rank - jobs.c.priority * literal(PRIORITY_SECONDS, Float)
)


@dataclass(frozen=True, slots=True)
class WaitingJob:
    """A row of the queue. `number` is its place among all that were looked at, from 1. `before`: ready trainings of
    its owner that go first. `held`: it may not start now. `waited_seconds` counts from when it was queued, also for a
    job that was put back since: it keeps its place."""

    number: int
    job_id: str
    name: str
    kind: str
    owner: str
    priority: int
    queued_at: datetime
    waited_seconds: float
    share_seconds: float
    ready: bool
    held: bool
    before: int
    running: int
    max_running: int | None
    crashes: int
    devices: int
    error: dict[str, Any] | None


def waiting_jobs(
    conn: Connection,
    taken_kinds: Collection[str],
    *,
    limit: int,
    among: Collection[str] | None = None,
    most_devices: int = MOST_DEVICES,
) -> list[WaitingJob]:
    """The first `limit` jobs in the order in which they will be taken, with those that may not start now last.

    `taken_kinds` are those for which a worker lives, and `most_devices` is what the largest one has; `among` narrows to
    some kinds. Reads at most `limit` jobs of each owner and kind.
    """
    queue = _queue(depth=limit).subquery()
    found = select(queue).order_by(queue.c.number).limit(limit)
    return _rows(conn, found, _Taken(taken_kinds, most_devices, among))


def waiting_job(
    conn: Connection,
    job_id: str,
    taken_kinds: Collection[str],
    among: Collection[str],
    *,
    first: int,
    most_devices: int = MOST_DEVICES,
) -> list[WaitingJob]:
    """The job itself, if it waits, and the `first` jobs of the queue of the kinds `among`. Reads the whole queue."""
    queue = _queue(depth=None).subquery()
    found = select(queue).where(or_(queue.c.job_id == job_id, queue.c.number <= first)).order_by(queue.c.number)
    return _rows(conn, found, _Taken(taken_kinds, most_devices, among))


def count_waiting(conn: Connection) -> int | None:
    """How many jobs wait; None beyond 10,000, for counting them all would not be quick."""
    some = select(jobs.c.id).where(IS_PENDING).limit(_COUNTED + 1).subquery()
    count = conn.execute(select(func.count()).select_from(some)).scalar_one()
    return None if count > _COUNTED else count


def list_owners(conn: Connection) -> list[OwnerView]:
    """Everybody who has had a job or a quota, by name."""
    return [_owner_view(row) for row in conn.execute(_owners().order_by(owners.c.name))]


def get_owner(conn: Connection, name: str) -> OwnerView:
    """The owner, who is known."""
    return _owner_view(conn.execute(_owners().where(owners.c.name == name)).one())


def _owners() -> Select[Any]:
    waits = select(func.count().label("waiting")).where(IS_PENDING, jobs.c.owner == owners.c.name).lateral("waits")
    return select(owners, trainings_of(owners.c.name).c.running, waits.c.waiting)


def _owner_view(row: Row[Any]) -> OwnerView:
    return OwnerView.model_validate(dict(row._mapping))


@dataclass(frozen=True, slots=True)
class _Taken:
    kinds: Collection[str]
    most_devices: int
    among: Collection[str] | None


def _rows(conn: Connection, statement: Select[Any], taken: _Taken) -> list[WaitingJob]:
    among = None if taken.among is None else list(taken.among)
    given = {"taken": list(taken.kinds), "most_devices": taken.most_devices, "among": among}
    return [WaitingJob(**row._mapping) for row in conn.execute(statement, given)]


def _queue(depth: int | None) -> Select[Any]:
    """Every job that can be among the first `depth`, numbered: an owner's ready and backing off jobs are read apart,
    kind by kind, so that none of them hides another."""
    mine = _first_of_each(depth).subquery()
    training = mine.c.kind == QUOTA_KIND
    earlier = func.count().filter(and_(training, mine.c.ready))
    order = (mine.c.rank, mine.c.job_id)
    before = func.coalesce(earlier.over(partition_by=mine.c.owner, order_by=order, rows=(None, -1)), 0)
    limit = mine.c.max_running
    room = case((limit.is_not(None), func.greatest(limit - mine.c.running, 0)))  # GREATEST and LEAST pass over NULL
    counted = select(mine, before.label("before"), room.label("room")).subquery()
    full = and_(counted.c.kind == QUOTA_KIND, func.coalesce(counted.c.before >= counted.c.room, False))
    untaken = counted.c.kind != all_(bindparam("taken", type_=ARRAY(Text)))
    oversized = counted.c.devices > bindparam("most_devices", type_=Integer)
    held = or_(~counted.c.ready, full, untaken, oversized)
    share = (counted.c.running + func.least(counted.c.before, counted.c.room)) * literal(FAIR_SHARE_SECONDS, Float)
    place = func.row_number().over(order_by=(held, counted.c.rank + share, counted.c.job_id))
    shown = [counted.c[name] for name in WaitingJob.__slots__ if name not in ("number", "held", "share_seconds")]
    return select(place.label("number"), held.label("held"), share.label("share_seconds"), *shown)


def _first_of_each(depth: int | None) -> Select[Any]:
    waiting, kinds = waiting_values("waiting", jobs.c.owner), waiting_values("kinds", jobs.c.kind)
    owner, kind = waiting.c.value, kinds.c.value
    flags = func.unnest(literal([True, False], ARRAY(Boolean))).table_valued("ready").render_derived("flags")
    ready = flags.c.ready
    last = select(attempts.c.error).where(attempts.c.job_id == jobs.c.id, attempts.c.generation == jobs.c.generation)
    first = (
        select(
            jobs.c.id.label("job_id"),
            *(jobs.c[name] for name in ("name", "kind", "priority", "queued_at", "rank", "crashes", "devices")),
            _WAITED.label("waited_seconds"),
            case((~ready, last.scalar_subquery())).label("error"),
        )
        .where(IS_PENDING, jobs.c.owner == owner, jobs.c.kind == kind, (jobs.c.queued_at <= func.now()) == ready)
        .order_by(jobs.c.rank, jobs.c.id)
        .limit(depth)
        .lateral("first")
    )
    limit = select(owners.c.max_running).where(owners.c.name == owner).scalar_subquery()
    load = trainings_of(owner)
    among = bindparam("among", type_=ARRAY(Text))
    each = waiting.join(kinds, true()).join(flags, true()).join(load, true()).join(first, true())
    return (
        select(first, owner.label("owner"), ready.label("ready"), load.c.running, limit.label("max_running"))
        .select_from(each)
        .where(or_(among.is_(None), kind == any_(among)))
    )
