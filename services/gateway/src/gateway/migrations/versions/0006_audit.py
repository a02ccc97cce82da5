"""What was changed and refused, by whom; counts for limits. Other roles may not read these either."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TABLES = ("access_audit", "access_counts")
_KEEP_OTHERS_OUT = """
DO $$
DECLARE found record;
BEGIN
  FOR found IN SELECT DISTINCT grantee, table_name FROM information_schema.role_table_grants
    WHERE table_schema = current_schema() AND grantee <> current_user
      AND table_name IN ('access_audit', 'access_counts')
  LOOP
    EXECUTE format('REVOKE ALL ON %I FROM %I', found.table_name, found.grantee);
  END LOOP;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "access_counts",
        sa.Column("what", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "access_audit",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("subject", "name", "project")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("method", "operation", "path")),
        sa.Column("status", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("request_id", "address")),
    )
    op.create_index("access_audit_at", "access_audit", ["at"])
    op.create_index("access_audit_project", "access_audit", ["project", "id"])
    op.execute(_KEEP_OTHERS_OUT)


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
