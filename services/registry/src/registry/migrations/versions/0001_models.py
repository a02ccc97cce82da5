"""Models, their immutable versions with their files, and the blobs that the files are."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "blobs",
        sa.Column("sha256", sa.Text, primary_key=True),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("weights", sa.Boolean, nullable=False),
        _set_at_insert("touched_at"),
        sa.Column("collecting_since", sa.DateTime(timezone=True)),
    )
    op.create_index("blobs_by_age", "blobs", ["touched_at"], postgresql_where=sa.text("weights"))
    op.create_table(
        "models",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("version_count", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("latest_id", sa.Text),
        _set_at_insert("created_at"),
    )
    _create_versions()
    op.create_foreign_key(
        "models_latest", "models", "versions", ["latest_id"], ["id"], deferrable=True, initially="DEFERRED"
    )
    op.create_table(
        "version_files",
        sa.Column(
            "version_id", sa.Text, sa.ForeignKey("versions.id", ondelete="CASCADE"), primary_key=True, nullable=False
        ),
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
    )
    op.create_index("version_files_by_blob", "version_files", ["sha256"])


def downgrade() -> None:
    op.drop_constraint("models_latest", "models", type_="foreignkey")
    for table in ("version_files", "versions", "models", "blobs"):
        op.drop_table(table)


def _create_versions() -> None:
    op.create_table(
        "versions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("model_id", sa.Text, sa.ForeignKey("models.id"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("facts", JSONB, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("lineage", JSONB, nullable=False),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("base_id", sa.Text, sa.ForeignKey("versions.id", ondelete="RESTRICT")),
        _set_at_insert("created_at"),
        sa.UniqueConstraint("model_id", "number", name="versions_number"),
    )
    given = sa.text("idempotency_key IS NOT NULL")
    op.create_index(
        "versions_idempotency_key", "versions", ["model_id", "idempotency_key"], unique=True, postgresql_where=given
    )
    op.create_index("versions_by_base", "versions", ["base_id"], postgresql_where=sa.text("base_id IS NOT NULL"))


def _set_at_insert(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())
