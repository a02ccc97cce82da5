"""Datasets and their immutable versions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "datasets",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("version_count", sa.Integer, nullable=False, server_default="0"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )
    op.create_index("datasets_by_age", "datasets", ["created_at", "id"])
    op.create_table(
        "dataset_versions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("dataset_id", sa.Text, sa.ForeignKey("datasets.id", ondelete="CASCADE"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("format", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("source_sha256", sa.Text, nullable=False),
        sa.Column("source_filename", sa.Text, nullable=False),
        sa.Column("stats", JSONB, nullable=False),
        sa.Column("warnings", JSONB, nullable=False),
        sa.Column("index_rows", ARRAY(sa.BigInteger), nullable=False),
        sa.Column("index_offsets", ARRAY(sa.BigInteger), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.UniqueConstraint("dataset_id", "number"),
        sa.UniqueConstraint("dataset_id", "sha256", "format"),
    )
    op.create_index("dataset_versions_by_rows", "dataset_versions", ["sha256"])
    op.create_index("dataset_versions_by_source", "dataset_versions", ["source_sha256"])


def downgrade() -> None:
    op.drop_table("dataset_versions")
    op.drop_table("datasets")
