"""The job store: recipes, jobs, attempts, metrics, events, logs, checkpoints."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_PENDING = sa.text("status = 'pending'")
_ACTIVE = sa.text("status IN ('preparing', 'training', 'evaluating')")
_STATUSES = "'pending', 'preparing', 'training', 'evaluating', 'paused', 'completed', 'error', 'cancelled'"


def upgrade() -> None:
    op.create_table(
        "recipes",
        sa.Column("name", sa.Text, primary_key=True),
        _document("view"),
        _set_at_insert("published_at"),
    )
    _create_jobs()
    _create_job_indexes()
    op.create_table(
        "attempts",
        _job_id(),
        sa.Column("generation", sa.Integer, primary_key=True),
        sa.Column("worker", sa.Text, nullable=False),
        _set_at_insert("started_at"),
        _moment("ended_at"),
        sa.Column("outcome", sa.Text),
        sa.Column("error", JSONB),
    )
    op.create_table(
        "metrics",
        _job_id(),
        sa.Column("step", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        _set_at_insert("at"),
    )
    op.create_table(
        "events",
        _job_id(),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("type", sa.Text, nullable=False),
        _document("data"),
        sa.Column("generation", sa.Integer, nullable=False),
        _set_at_insert("at"),
    )
    op.create_table(
        "logs",
        _job_id(),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        _set_at_insert("at"),
    )
    _create_checkpoints()


def downgrade() -> None:
    for table in ("checkpoints", "logs", "events", "metrics", "attempts", "jobs", "recipes"):
        op.drop_table(table)


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False, server_default=sa.text("'pending'")),
        sa.Column("desired", sa.Text, nullable=False, server_default=sa.text("'run'")),
        _count("priority"),
        sa.Column("config", JSONB, nullable=False),
        _document("progress"),
        _count("generation"),
        sa.Column("worker", sa.Text),
        _moment("lease_until"),
        _count("crashes"),
        _count("saved_step"),
        _count("crash_step"),
        _count("checkpoint_request"),
        _count("checkpoint_served"),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("idempotency_digest", sa.Text),
        _count("event_count"),
        _count("log_count"),
        sa.Column("error", JSONB),
        sa.Column("result", JSONB),
        _set_at_insert("created_at"),
        _set_at_insert("queued_at"),
        _moment("started_at"),
        _moment("finished_at"),
        sa.Column("active_seconds", sa.Double, nullable=False, server_default=sa.text("0")),
        _moment("active_since"),
        sa.CheckConstraint(f"status IN ({_STATUSES})", name="jobs_status_known"),
        sa.CheckConstraint("desired IN ('run', 'pause', 'stop')", name="jobs_desired_known"),
        sa.CheckConstraint(
            f"({_ACTIVE.text}) = (lease_until IS NOT NULL AND active_since IS NOT NULL)", name="jobs_active_has_lease"
        ),
        postgresql_with={"fillfactor": "70"},
    )


def _create_job_indexes() -> None:
    newest = [sa.text("created_at DESC"), sa.text("id DESC")]
    op.create_index("jobs_queue", "jobs", [sa.text("priority DESC"), "queued_at", "id"], postgresql_where=_PENDING)
    op.create_index("jobs_active", "jobs", ["id"], postgresql_where=_ACTIVE)
    op.create_index("jobs_by_age", "jobs", newest)
    op.create_index("jobs_by_kind", "jobs", ["kind", *newest])
    op.create_index("jobs_by_status", "jobs", ["status", "kind", *newest])
    given = sa.text("idempotency_key IS NOT NULL")
    op.create_index("jobs_idempotency_key", "jobs", ["idempotency_key"], unique=True, postgresql_where=given)


def _create_checkpoints() -> None:
    op.create_table(
        "checkpoints",
        sa.Column("id", sa.Text, primary_key=True),
        _job_id(primary_key=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("epoch", sa.Double, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("prefix", sa.Text, nullable=False),
        _document("metrics"),
        _set_at_insert("created_at"),
    )
    op.create_index("checkpoints_place", "checkpoints", ["job_id", "step", "generation"], unique=True)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default=sa.text("0"))


def _document(name: str) -> sa.Column[object]:
    return sa.Column(name, JSONB, nullable=False, server_default=sa.text("'{}'"))


def _moment(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True))


def _set_at_insert(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())


def _job_id(*, primary_key: bool = True) -> sa.Column[str]:
    owner = sa.ForeignKey("jobs.id", ondelete="CASCADE")
    return sa.Column("job_id", sa.Text, owner, primary_key=primary_key, nullable=False)
