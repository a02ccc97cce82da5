"""Aliases and tags of versions, and what each version was made from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# What versions that are there already say of their origin.
_KNOWN = """
INSERT INTO version_parents (version_id, relation, parent_id)
SELECT id, relation, parent_id FROM versions, LATERAL (VALUES
    ('base', coalesce(lineage ->> 'base_version_id', lineage ->> 'baseVersionId', base_id)),
    ('parent', lineage ->> 'parent_version_id'),
    ('exported_from', lineage -> 'exported_from' ->> 'version_id')
) AS found (relation, parent_id)
WHERE parent_id IS NOT NULL AND parent_id <> id
"""


def upgrade() -> None:
    _create_aliases()
    op.create_table(
        "version_tags",
        _version_id(),
        sa.Column("tag", sa.Text, primary_key=True),
    )
    op.create_index("version_tags_by_tag", "version_tags", ["tag"])
    op.create_table(
        "version_parents",
        _version_id(),
        sa.Column("relation", sa.Text, primary_key=True),
        sa.Column("parent_id", sa.Text, nullable=False),
    )
    op.create_index("version_parents_by_parent", "version_parents", ["parent_id"])
    op.execute(_KNOWN)


def downgrade() -> None:
    for table in ("version_parents", "version_tags", "aliases"):
        op.drop_table(table)


def _create_aliases() -> None:
    op.create_table(
        "aliases",
        sa.Column("model_id", sa.Text, sa.ForeignKey("models.id"), primary_key=True),
        sa.Column("alias", sa.Text, primary_key=True),
        sa.Column("version_id", sa.Text, sa.ForeignKey("versions.id", ondelete="RESTRICT"), nullable=False),
        sa.Column("previous_id", sa.Text, sa.ForeignKey("versions.id", ondelete="SET NULL")),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )
    op.create_index("aliases_by_version", "aliases", ["version_id"])
    op.create_index("aliases_by_previous", "aliases", ["previous_id"])


def _version_id() -> sa.Column[str]:
    owner = sa.ForeignKey("versions.id", ondelete="CASCADE")
    return sa.Column("version_id", sa.Text, owner, primary_key=True)
