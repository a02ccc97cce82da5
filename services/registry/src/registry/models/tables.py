"""Models, their immutable versions, and the files of each. Times are the database's own."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from registry.blobs.tables import created_at, metadata, project

models = Table(
    "models",
    metadata,
    Column("id", Text, primary_key=True),
    project(),
    Column("name", Text, nullable=False),
    Column("version_count", Integer, nullable=False, server_default=text("0")),
    Column("latest_id", Text),
    created_at(),
    UniqueConstraint("project", "name", name="models_name"),
    ForeignKeyConstraint(
        ["latest_id"], ["versions.id"], name="models_latest", deferrable=True, initially="DEFERRED", use_alter=True
    ),
)

versions = Table(
    "versions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("model_id", Text, ForeignKey("models.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("lineage", JSONB, nullable=False),
    Column("idempotency_key", Text),
    Column("base_id", Text, ForeignKey("versions.id", ondelete="RESTRICT")),
    created_at(),
    UniqueConstraint("model_id", "number", name="versions_number"),
)
Index(
    "versions_idempotency_key",
    versions.c.model_id,
    versions.c.idempotency_key,
    unique=True,
    postgresql_where=text("idempotency_key IS NOT NULL"),
)
Index("versions_by_base", versions.c.base_id, postgresql_where=text("base_id IS NOT NULL"))

version_files = Table(
    "version_files",
    metadata,
    Column("version_id", Text, ForeignKey("versions.id", ondelete="CASCADE"), primary_key=True),
    Column("path", Text, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
)
Index("version_files_by_blob", version_files.c.sha256)
