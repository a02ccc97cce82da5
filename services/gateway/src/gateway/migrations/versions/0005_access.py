"""Users, projects, memberships, sessions and API keys. Roles that may read the gateway's tables may not read these."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_TABLES = ("access_keys", "access_sessions", "access_memberships", "access_projects", "access_users")
# Granted to the worker and to readers of dashboards by default, as every table of this schema.
_KEEP_OTHERS_OUT = """
DO $$
DECLARE found record;
BEGIN
  FOR found IN SELECT DISTINCT grantee, table_name FROM information_schema.role_table_grants
    WHERE table_schema = current_schema() AND table_name LIKE 'access\\_%' AND grantee <> current_user
  LOOP
    EXECUTE format('REVOKE ALL ON %I FROM %I', found.table_name, found.grantee);
  END LOOP;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "access_users",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("password_hash", sa.Text, nullable=False),
        _flag("platform"),
        sa.Column("disabled_at", _MOMENT),
        _made_at(),
    )
    op.create_table("access_projects", sa.Column("name", sa.Text, primary_key=True), _made_at())
    op.execute("INSERT INTO access_projects (name) VALUES ('local')")
    op.create_table(
        "access_memberships",
        _user(primary_key=True),
        _project(primary_key=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.CheckConstraint("role IN ('viewer', 'trainer', 'admin')", name="access_memberships_role_known"),
    )
    op.create_index("access_memberships_project", "access_memberships", ["project"])
    op.create_table(
        "access_sessions",
        sa.Column("id", sa.Text, primary_key=True),
        _user(),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("earlier_digest", sa.LargeBinary),
        _made_at(),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT),
    )
    op.create_index("access_sessions_user", "access_sessions", ["user_id"])
    op.create_index("access_sessions_expiry", "access_sessions", ["expires_at"])
    _create_keys()
    op.execute(_KEEP_OTHERS_OUT)


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)


def _create_keys() -> None:
    op.create_table(
        "access_keys",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        _user(),
        _project(),
        sa.Column("role", sa.Text, nullable=False),
        _flag("platform"),
        sa.Column("made_by", sa.Text, sa.ForeignKey("access_keys.id", ondelete="CASCADE")),
        _made_at(),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("last_used_at", _MOMENT),
        sa.Column("revoked_at", _MOMENT),
        sa.CheckConstraint("role IN ('viewer', 'trainer', 'admin')", name="access_keys_role_known"),
    )
    op.create_index("access_keys_user", "access_keys", ["user_id"])
    op.create_index("access_keys_project", "access_keys", ["project"])


def _made_at() -> sa.Column[object]:
    return sa.Column("created_at", _MOMENT, nullable=False, server_default=sa.func.now())


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())


def _user(*, primary_key: bool = False) -> sa.Column[str]:
    place = sa.ForeignKey("access_users.id", ondelete="CASCADE")
    return sa.Column("user_id", sa.Text, place, primary_key=primary_key, nullable=False)


def _project(*, primary_key: bool = False) -> sa.Column[str]:
    place = sa.ForeignKey("access_projects.name")
    return sa.Column("project", sa.Text, place, primary_key=primary_key, nullable=False)
