"""How many bytes a project may keep."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kargah.db.row_security import NEW_ROW_PROJECT, by_column

revision = "0009"
down_revision = "0008"
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


def downgrade() -> None:
    op.drop_table("storage_limits")
