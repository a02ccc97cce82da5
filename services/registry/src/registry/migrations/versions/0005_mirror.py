"""The mirror of another hub: repositories that come from it, what it said of them, and files on their way in."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("repositories", sa.Column("mirrored_from", sa.Text))
    op.create_index(
        "commit_files_by_git_sha1",
        "commit_files",
        ["git_sha1"],
        postgresql_where=sa.text("git_sha1 IS NOT NULL"),
    )
    op.create_table(
        "mirror_revisions",
        _repository_id(),
        sa.Column("revision", sa.Text, primary_key=True),
        sa.Column("sha", sa.Text, nullable=False),
        _at("checked_at"),
    )
    op.create_table("mirror_refs", _repository_id(), sa.Column("document", JSONB, nullable=False), _at("checked_at"))
    op.create_table(
        "fetches",
        sa.Column("etag", sa.Text, primary_key=True),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        _at("lease_until"),
        sa.Column("failure", JSONB),
        sa.Column("refused_until", sa.DateTime(timezone=True)),
    )
    op.create_table(
        "fetch_parts",
        sa.Column("etag", sa.Text, sa.ForeignKey("fetches.etag", ondelete="CASCADE"), primary_key=True),
        sa.Column("begin", sa.BigInteger, primary_key=True),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    for table in ("fetch_parts", "fetches", "mirror_refs", "mirror_revisions"):
        op.drop_table(table)
    op.execute("DELETE FROM repositories WHERE mirrored_from IS NOT NULL")
    op.drop_index("commit_files_by_git_sha1", "commit_files")
    op.drop_column("repositories", "mirrored_from")


def _repository_id() -> sa.Column[str]:
    owner = sa.ForeignKey("repositories.id", ondelete="CASCADE")
    return sa.Column("repository_id", sa.Text, owner, primary_key=True)


def _at(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())
