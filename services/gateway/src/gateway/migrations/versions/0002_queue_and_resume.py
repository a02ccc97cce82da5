"""Owners with quotas and a rank that ages, workers that can be seen, pinned checkpoints, what each attempt redid."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_PENDING = sa.text("status = 'pending'")
_ACTIVE = sa.text("status IN ('preparing', 'training', 'evaluating')")
_NOW_RANK = sa.text("extract(epoch FROM now())")


def upgrade() -> None:
    op.add_column("jobs", sa.Column("owner", sa.Text, nullable=False, server_default=sa.text("'local'")))
    op.add_column("jobs", sa.Column("rank", sa.Double, nullable=False, server_default=_NOW_RANK))
    op.execute("UPDATE jobs SET rank = extract(epoch FROM queued_at) - 600.0 * priority")
    op.drop_index("jobs_queue", "jobs")
    op.create_index("jobs_queue", "jobs", ["owner", "kind", "rank", "id"], postgresql_where=_PENDING)
    op.create_index("jobs_running", "jobs", ["owner", "kind"], postgresql_where=_ACTIVE)
    op.create_table(
        "owners",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("max_running", sa.Integer),
        sa.CheckConstraint("max_running >= 0", name="owners_max_running_not_negative"),
    )
    op.execute("INSERT INTO owners (name) SELECT DISTINCT owner FROM jobs")
    op.create_table(
        "workers",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("kinds", JSONB, nullable=False),
        sa.Column("device", JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("job_id", sa.Text),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )
    op.add_column("checkpoints", sa.Column("pinned", sa.Boolean, nullable=False, server_default=sa.false()))
    op.execute("UPDATE checkpoints SET pinned = true WHERE reason = 'requested'")
    op.add_column("attempts", sa.Column("resumed_step", sa.Integer))
    op.add_column("attempts", sa.Column("superseded", JSONB))


def downgrade() -> None:
    op.drop_column("attempts", "superseded")
    op.drop_column("attempts", "resumed_step")
    op.drop_column("checkpoints", "pinned")
    op.drop_table("workers")
    op.drop_table("owners")
    op.drop_index("jobs_running", "jobs")
    op.drop_index("jobs_queue", "jobs")
    op.drop_column("jobs", "rank")
    op.drop_column("jobs", "owner")
    op.create_index("jobs_queue", "jobs", [sa.text("priority DESC"), "queued_at", "id"], postgresql_where=_PENDING)
