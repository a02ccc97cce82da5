"""Every blob that nothing names goes after its grace, whatever it holds: nobody else keeps anything beside them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("blobs_by_age", "blobs")
    op.drop_column("blobs", "weights")
    op.create_index("blobs_by_age", "blobs", ["touched_at"])


def downgrade() -> None:
    op.drop_index("blobs_by_age", "blobs")
    op.add_column("blobs", sa.Column("weights", sa.Boolean, nullable=False, server_default=sa.text("true")))
    op.alter_column("blobs", "weights", server_default=None)
    op.create_index("blobs_by_age", "blobs", ["touched_at"], postgresql_where=sa.text("weights"))
