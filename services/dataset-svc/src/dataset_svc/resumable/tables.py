"""The table of uploads under way (`migrations/` makes it)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Integer, Table, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB

from dataset_svc.datasets.tables import metadata, project

# `state`: open (parts come), checking (all are there), done, failed, aborted (about to be removed).
# `generation` is the fence of who checks it until `lease_until`.
uploads = Table(
    "dataset_uploads",
    metadata,
    Column("id", Text, primary_key=True),
    project(),
    Column("name", Text, nullable=False),
    Column("filename", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("part_bytes", BigInteger, nullable=False),
    Column("sha256", Text),
    Column("modified", Text),
    Column("format", Text),
    Column("mapping", Text),
    Column("origin", Text),
    Column("object_key", Text, nullable=False),
    Column("multipart_id", Text, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'open'")),
    Column("checked_bytes", BigInteger, nullable=False, server_default=text("0")),
    Column("generation", Integer, nullable=False, server_default=text("0")),
    Column("lease_until", DateTime(timezone=True)),
    Column("version_id", Text),
    Column("is_new", Boolean),
    Column("problem", JSONB),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("touched_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("dataset_uploads_by_state", "state", "touched_at"),
    Index("dataset_uploads_by_name", "project", "name"),
)
