"""Uploads may tell where their rows come from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dataset_uploads", sa.Column("origin", sa.Text))


def downgrade() -> None:
    op.drop_column("dataset_uploads", "origin")
