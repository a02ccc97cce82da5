"""How many bytes a project may keep, and since when it has what it sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kargah.db.row_security import NEW_ROW_PROJECT, by_column

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "storage_limits",
        sa.Column("project", sa.Text, primary_key=True, server_default=sa.text(NEW_ROW_PROJECT)),
        sa.Column("max_bytes", sa.BigInteger, nullable=False),
        sa.CheckConstraint("max_bytes >= 0", name="storage_limits_not_negative"),
    )
    for statement in by_column("storage_limits"):
        op.execute(statement)
    # The time of the migration for what is there: found out once, so no row is written anew.
    sent_at = sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())
    op.add_column("holdings", sent_at)


def downgrade() -> None:
    op.drop_column("holdings", "sent_at")
    op.drop_table("storage_limits")
