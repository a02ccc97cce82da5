"""Row-level security: a job and everything under it belong to the job's owner, its project."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kargah.db.row_security import by_column, by_parent, without

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_Columns = list[str | sa.TextClause]
_NEWEST: _Columns = [sa.text("created_at DESC"), sa.text("id DESC")]
_GIVEN = sa.text("idempotency_key IS NOT NULL")
_CHILDREN = ("attempts", "metrics", "events", "logs", "checkpoints")
_COUNTED: dict[str, _Columns] = {"jobs_by_kind": ["kind", *_NEWEST], "jobs_by_status": ["status", "kind", *_NEWEST]}


def upgrade() -> None:
    for name, columns in _COUNTED.items():
        op.drop_index(name, "jobs")
        op.create_index(name, "jobs", columns, postgresql_include=["owner"])
    op.create_index("jobs_by_owner", "jobs", ["owner", *_NEWEST])
    _key_on("owner", "idempotency_key")
    children = [by_parent(table, "job_id", "jobs") for table in _CHILDREN]
    for statements in (by_column("jobs", "owner"), by_column("owners", "name"), *children):
        for statement in statements:
            op.execute(statement)


def downgrade() -> None:
    for table in (*_CHILDREN, "owners", "jobs"):
        for statement in without(table):
            op.execute(statement)
    _key_on("idempotency_key")
    op.drop_index("jobs_by_owner", "jobs")
    for name, columns in _COUNTED.items():
        op.drop_index(name, "jobs")
        op.create_index(name, "jobs", columns)


def _key_on(*columns: str) -> None:
    op.drop_index("jobs_idempotency_key", "jobs")
    op.create_index("jobs_idempotency_key", "jobs", list(columns), unique=True, postgresql_where=_GIVEN)
