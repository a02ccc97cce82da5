"""What the registry knows of blobs. Tables are without a schema: the role's search_path decides."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Column, DateTime, Index, MetaData, Table, Text, func

metadata = MetaData()


def created_at() -> Column[datetime]:
    """A column with the time of a row's making."""
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())


blobs = Table(
    "blobs",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("touched_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("collecting_since", DateTime(timezone=True)),
)
Index("blobs_by_age", blobs.c.touched_at)
