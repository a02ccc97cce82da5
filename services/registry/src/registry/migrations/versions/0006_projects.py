"""Row-level security: a model and a repository belong to a project, with everything under it; and who has sent what."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kargah.db.row_security import NEW_ROW_PROJECT, by_column, by_parent, without

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_OWN = ("models", "repositories")
_CHILDREN = (
    ("versions", "model_id", "models"),
    ("aliases", "model_id", "models"),
    ("version_files", "version_id", "versions"),
    ("version_tags", "version_id", "versions"),
    ("version_parents", "version_id", "versions"),
    ("commits", "repository_id", "repositories"),
    ("commit_files", "repository_id", "repositories"),
    ("refs", "repository_id", "repositories"),
    ("mirror_revisions", "repository_id", "repositories"),
    ("mirror_refs", "repository_id", "repositories"),
)
# What mirrors have kept so far came from their upstream.
_CAME = """
INSERT INTO mirrored (sha256)
SELECT DISTINCT sha256 FROM commit_files
JOIN repositories ON repositories.id = repository_id AND mirrored_from IS NOT NULL
JOIN blobs USING (sha256)
"""


def upgrade() -> None:
    for table in _OWN:
        # What was there is everybody's of before, which a constant gives without rewriting a row.
        op.add_column(table, sa.Column("project", sa.Text, nullable=False, server_default="local"))
        op.alter_column(table, "project", server_default=sa.text(NEW_ROW_PROJECT))
    op.drop_constraint("models_name_key", "models")
    op.create_unique_constraint("models_name", "models", ["project", "name"])
    _repositories_by("project", "kind", "name")
    default = sa.text(NEW_ROW_PROJECT)
    op.create_table(
        "holdings",
        sa.Column("project", sa.Text, primary_key=True, server_default=default),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("hash", sa.Text, primary_key=True),
    )
    op.create_index("holdings_by_hash", "holdings", ["hash"])
    op.create_table("mirrored", sa.Column("sha256", sa.Text, primary_key=True))
    op.execute(_CAME)
    for statements in (*map(by_column, (*_OWN, "holdings")), *(by_parent(*child) for child in _CHILDREN)):
        for statement in statements:
            op.execute(statement)


def downgrade() -> None:
    op.drop_table("mirrored")
    op.drop_table("holdings")
    for table in (*(table for table, _, _ in _CHILDREN), *_OWN):
        for statement in without(table):
            op.execute(statement)
    _repositories_by("kind", "name")
    op.drop_constraint("models_name", "models")
    op.create_unique_constraint("models_name_key", "models", ["name"])
    for table in _OWN:
        op.drop_column(table, "project")


def _repositories_by(*columns: str) -> None:
    op.drop_constraint("repositories_name", "repositories")
    op.create_unique_constraint("repositories_name", "repositories", list(columns))
