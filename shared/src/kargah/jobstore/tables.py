"""The job store's tables, without a schema: the role's search_path decides (the gateway's migrations own them).

Texts are at most a few hundred characters unless they are logs. All times are the database's own.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from kargah.domain.job_state import ACTIVE, Desired, Status

metadata = MetaData()


def _among(column: str, values: list[str]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


# Literals, not parameters: a prepared statement finds a partial index only by literals.
IS_PENDING = text(f"status = '{Status.PENDING.value}'")
IS_ACTIVE = text(_among("status", [status.value for status in Status if status in ACTIVE]))


def _moment(name: str, *, set_on_insert: bool = False) -> Column[datetime]:
    column_type = DateTime(timezone=True)
    if set_on_insert:
        return Column(name, column_type, nullable=False, server_default=func.now())
    return Column(name, column_type)


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=text("0"))


def _document(name: str) -> Column[object]:
    return Column(name, JSONB, nullable=False, server_default=text("'{}'"))


def _job_id(*, primary_key: bool = True) -> Column[str]:
    owner = ForeignKey("jobs.id", ondelete="CASCADE")
    return Column("job_id", Text, owner, primary_key=primary_key, nullable=False)


recipes = Table(
    "recipes",
    metadata,
    Column("name", Text, primary_key=True),
    _document("view"),
    _moment("published_at", set_on_insert=True),
)

# `owner` is the job's project: row-level security leaves to it the job and everything under it.
# `generation` numbers the attempts and is the fence. `queued_at` may lie ahead: a crashed job waits until then.
# `saved_step` is the highest checkpoint's step, `crash_step` what it was at the last crash: no gain, one more
# of `crashes`. `lease_until` is in no index, so that a heartbeat rewrites none. `rank` orders the queue, lowest
# first: `kargah.domain.queue_policy` says how it is made. `devices`: workers with fewer do not take the job.
jobs = Table(
    "jobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False, server_default=text(f"'{Status.PENDING.value}'")),
    Column("desired", Text, nullable=False, server_default=text(f"'{Desired.RUN.value}'")),
    Column("owner", Text, nullable=False, server_default=text("'local'")),
    _count("priority"),
    Column("devices", Integer, nullable=False, server_default=text("1")),
    Column("rank", Double, nullable=False, server_default=text("extract(epoch FROM now())")),
    Column("config", JSONB, nullable=False),
    _document("origin"),
    _document("progress"),
    _count("generation"),
    Column("worker", Text),
    _moment("lease_until"),
    _count("crashes"),
    _count("saved_step"),
    _count("crash_step"),
    _count("checkpoint_request"),
    _count("checkpoint_served"),
    Column("idempotency_key", Text),
    Column("idempotency_digest", Text),
    _count("event_count"),
    _count("log_count"),
    Column("error", JSONB(none_as_null=True)),
    Column("result", JSONB(none_as_null=True)),
    _moment("created_at", set_on_insert=True),
    _moment("queued_at", set_on_insert=True),
    _moment("started_at"),
    _moment("finished_at"),
    Column("active_seconds", Double, nullable=False, server_default=text("0")),
    _moment("active_since"),
    CheckConstraint(_among("status", [status.value for status in Status]), name="jobs_status_known"),
    CheckConstraint(_among("desired", [desired.value for desired in Desired]), name="jobs_desired_known"),
    CheckConstraint(
        f"({IS_ACTIVE.text}) = (lease_until IS NOT NULL AND active_since IS NOT NULL)",
        name="jobs_active_has_lease",
    ),
    Index("jobs_queue", "owner", "kind", "rank", "id", postgresql_where=IS_PENDING),
    Index("jobs_active", "id", postgresql_where=IS_ACTIVE),
    Index("jobs_running", "owner", "kind", postgresql_where=IS_ACTIVE),
    Index("jobs_by_age", text("created_at DESC"), text("id DESC")),
    # With the owner, so that counting need not look at the rows to know whose they are.
    Index("jobs_by_kind", "kind", text("created_at DESC"), text("id DESC"), postgresql_include=["owner"]),
    Index("jobs_by_status", "status", "kind", text("created_at DESC"), text("id DESC"), postgresql_include=["owner"]),
    Index("jobs_by_owner", "owner", text("created_at DESC"), text("id DESC")),
    Index(
        "jobs_idempotency_key",
        "owner",
        "idempotency_key",
        unique=True,
        postgresql_where=text("idempotency_key IS NOT NULL"),
    ),
    # Room in each page for the versions that heartbeats leave behind.
    postgresql_with={"fillfactor": "70"},
)

# `max_running`: at most so many training jobs at once; null is no limit.
owners = Table(
    "owners",
    metadata,
    Column("name", Text, primary_key=True),
    Column("max_running", Integer),
    Column("max_waiting", Integer),
    CheckConstraint("max_running >= 0", name="owners_max_running_not_negative"),
    CheckConstraint("max_waiting >= 0", name="owners_max_waiting_not_negative"),
)

# Agents say now and then that they are there; one that has not for a while is gone.
workers = Table(
    "workers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("kinds", JSONB, nullable=False),
    _document("device"),
    Column("job_id", Text),
    _moment("started_at", set_on_insert=True),
    _moment("seen_at", set_on_insert=True),
)

# `resumed_step`: where the attempt began. `superseded`: [step, loss] pairs of this attempt that a later one did again.
attempts = Table(
    "attempts",
    metadata,
    _job_id(),
    Column("generation", Integer, primary_key=True),
    Column("worker", Text, nullable=False),
    _moment("started_at", set_on_insert=True),
    _moment("ended_at"),
    Column("outcome", Text),
    Column("error", JSONB(none_as_null=True)),
    Column("resumed_step", Integer),
    Column("superseded", JSONB(none_as_null=True)),
)

metrics = Table(
    "metrics",
    metadata,
    _job_id(),
    Column("step", Integer, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Double, nullable=False),
    Column("generation", Integer, nullable=False),
    _moment("at", set_on_insert=True),
)

events = Table(
    "events",
    metadata,
    _job_id(),
    Column("number", Integer, primary_key=True),
    Column("type", Text, nullable=False),
    _document("data"),
    Column("generation", Integer, nullable=False),
    _moment("at", set_on_insert=True),
)

logs = Table(
    "logs",
    metadata,
    _job_id(),
    Column("number", Integer, primary_key=True),
    Column("level", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    _moment("at", set_on_insert=True),
)

# `prefix` is the key under which the checkpoint's files and manifest lie in the object store.
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("id", Text, primary_key=True),
    _job_id(primary_key=False),
    Column("step", Integer, nullable=False),
    Column("epoch", Double, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    _document("metrics"),
    Column("pinned", Boolean, nullable=False, server_default=false()),
    _moment("created_at", set_on_insert=True),
    Index("checkpoints_place", "job_id", "step", "generation", unique=True),
)
