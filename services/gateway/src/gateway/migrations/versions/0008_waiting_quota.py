"""How many jobs of an owner may wait."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("owners", sa.Column("max_waiting", sa.Integer))
    op.create_check_constraint("owners_max_waiting_not_negative", "owners", "max_waiting >= 0")


def downgrade() -> None:
    op.drop_column("owners", "max_waiting")
