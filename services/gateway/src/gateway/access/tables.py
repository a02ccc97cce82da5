"""The tables of access, in the gateway's schema. Their names begin with `access_`: no other role may look into them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    false,
    func,
)

from kargah.jobstore.tables import metadata


def _moment(name: str) -> Column[datetime]:
    return Column(name, DateTime(timezone=True))


def _made_at() -> Column[datetime]:
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=false())


def _user(*, primary_key: bool = False) -> Column[str]:
    place = ForeignKey("access_users.id", ondelete="CASCADE")
    return Column("user_id", Text, place, primary_key=primary_key, nullable=False)


def _project(*, primary_key: bool = False) -> Column[str]:
    place = ForeignKey("access_projects.name")
    return Column("project", Text, place, primary_key=primary_key, nullable=False)


users = Table(
    "access_users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    _flag("platform"),
    _moment("disabled_at"),
    _made_at(),
)

projects = Table(
    "access_projects",
    metadata,
    Column("name", Text, primary_key=True),
    _made_at(),
)

memberships = Table(
    "access_memberships",
    metadata,
    _user(primary_key=True),
    _project(primary_key=True),
    Column("role", Text, nullable=False),
    CheckConstraint("role IN ('viewer', 'trainer', 'admin')", name="access_memberships_role_known"),
    Index("access_memberships_project", "project"),
)

sessions = Table(
    "access_sessions",
    metadata,
    Column("id", Text, primary_key=True),
    _user(),
    Column("digest", LargeBinary, nullable=False),
    Column("earlier_digest", LargeBinary),
    _made_at(),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    _moment("ended_at"),
    Index("access_sessions_user", "user_id"),
    Index("access_sessions_expiry", "expires_at"),
)

api_keys = Table(
    "access_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    _user(),
    _project(),
    Column("role", Text, nullable=False),
    _flag("platform"),
    Column("made_by", Text, ForeignKey("access_keys.id", ondelete="CASCADE")),
    _made_at(),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    _moment("last_used_at"),
    _moment("revoked_at"),
    CheckConstraint("role IN ('viewer', 'trainer', 'admin')", name="access_keys_role_known"),
    Index("access_keys_user", "user_id"),
    Index("access_keys_project", "project"),
)

# How often something happened within a window of time. Not logged: a crash of the database forgets it, and no harm.
counts = Table(
    "access_counts",
    metadata,
    Column("what", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("ends_at", DateTime(timezone=True), primary_key=True),
    Column("number", Integer, nullable=False),
    prefixes=["UNLOGGED"],
)

audit = Table(
    "access_audit",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("subject", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("address", Text, nullable=False),
    Index("access_audit_at", "at"),
    Index("access_audit_project", "project", "id"),
)
