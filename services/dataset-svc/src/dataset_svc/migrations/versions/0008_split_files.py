"""The rows of each split are a file of their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dataset_versions", sa.Column("split_files", ARRAY(sa.Text)))
    op.create_index("dataset_versions_by_file", "dataset_versions", ["split_files"], postgresql_using="gin")


def downgrade() -> None:
    op.execute("UPDATE dataset_versions SET splits = splits - 'files' WHERE splits IS NOT NULL")
    op.drop_index("dataset_versions_by_file")
    op.drop_column("dataset_versions", "split_files")
