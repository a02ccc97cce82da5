"""Uploads in parts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dataset_uploads",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("filename", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("part_bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.Text),
        sa.Column("modified", sa.Text),
        sa.Column("format", sa.Text),
        sa.Column("mapping", sa.Text),
        sa.Column("object_key", sa.Text, nullable=False),
        sa.Column("multipart_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False, server_default="open"),
        sa.Column("checked_bytes", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("generation", sa.Integer, nullable=False, server_default="0"),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("version_id", sa.Text),
        sa.Column("is_new", sa.Boolean),
        sa.Column("problem", JSONB),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )
    op.create_index("dataset_uploads_by_state", "dataset_uploads", ["state", "touched_at"])
    op.create_index("dataset_uploads_by_name", "dataset_uploads", ["name"])


def downgrade() -> None:
    op.drop_table("dataset_uploads")
