"""Versions with splits: the same rows divided in another way are another version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_SAME_ROWS = "dataset_versions_dataset_id_sha256_format_key"


def upgrade() -> None:
    op.add_column("dataset_versions", sa.Column("splits", JSONB))
    op.add_column("dataset_versions", sa.Column("splits_sha256", sa.Text))
    op.drop_constraint(_SAME_ROWS, "dataset_versions")
    op.create_index(
        "dataset_versions_by_content",
        "dataset_versions",
        ["dataset_id", "sha256", "format", sa.text("coalesce(splits_sha256, '')")],
        unique=True,
    )
    op.create_index("dataset_versions_by_splits", "dataset_versions", ["splits_sha256"])


def downgrade() -> None:
    op.execute("DELETE FROM dataset_versions WHERE splits_sha256 IS NOT NULL")
    op.drop_index("dataset_versions_by_splits")
    op.drop_index("dataset_versions_by_content")
    op.create_unique_constraint(_SAME_ROWS, "dataset_versions", ["dataset_id", "sha256", "format"])
    op.drop_column("dataset_versions", "splits_sha256")
    op.drop_column("dataset_versions", "splits")
