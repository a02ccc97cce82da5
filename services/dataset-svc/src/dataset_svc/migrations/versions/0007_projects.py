"""Row-level security: a dataset and an upload belong to a project, and so does everything under them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kargah.db.row_security import NEW_ROW_PROJECT, by_column, by_parent, without

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_OWN = ("datasets", "dataset_uploads")
_CHILDREN = ("dataset_versions", "dataset_changes")


def upgrade() -> None:
    for table in _OWN:
        # What was there is everybody's of before, which a constant gives without rewriting a row.
        op.add_column(table, sa.Column("project", sa.Text, nullable=False, server_default="local"))
        op.alter_column(table, "project", server_default=sa.text(NEW_ROW_PROJECT))
    op.drop_constraint("datasets_name_key", "datasets")
    op.create_unique_constraint("datasets_name", "datasets", ["project", "name"])
    _uploads_by("project", "name")
    children = [by_parent(table, "dataset_id", "datasets") for table in _CHILDREN]
    for statements in (*map(by_column, _OWN), *children):
        for statement in statements:
            op.execute(statement)


def downgrade() -> None:
    for table in (*_CHILDREN, *_OWN):
        for statement in without(table):
            op.execute(statement)
    _uploads_by("name")
    op.drop_constraint("datasets_name", "datasets")
    op.create_unique_constraint("datasets_name_key", "datasets", ["name"])
    for table in _OWN:
        op.drop_column(table, "project")


def _uploads_by(*columns: str) -> None:
    op.drop_index("dataset_uploads_by_name", "dataset_uploads")
    op.create_index("dataset_uploads_by_name", "dataset_uploads", list(columns))
