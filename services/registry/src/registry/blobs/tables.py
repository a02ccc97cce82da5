"""What the registry knows of blobs. Tables are without a schema: the role's search_path decides."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, MetaData, Table, Text, func, text

metadata = MetaData()

blobs = Table(
    "blobs",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("weights", Boolean, nullable=False),
    Column("touched_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("collecting_since", DateTime(timezone=True)),
)
Index("blobs_by_age", blobs.c.touched_at, postgresql_where=text("weights"))
