"""What the registry knows of blobs. Tables are without a schema: the role's search_path decides."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Column, DateTime, Index, MetaData, Table, Text, func, text

from kargah.db.row_security import NEW_ROW_PROJECT
from kargah.db.storage_quota import limits_table

metadata = MetaData()


def created_at() -> Column[datetime]:
    """A column with the time of a row's making."""
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())


def project(*, primary_key: bool = False) -> Column[str]:
    """Whose a row is: the project that the connection works for."""
    return Column("project", Text, primary_key=primary_key, nullable=False, server_default=text(NEW_ROW_PROJECT))


# Blobs are shared by all projects: what is stored once is whose it is by `holdings`, versions and commits.
blobs = Table(
    "blobs",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("touched_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("collecting_since", DateTime(timezone=True)),
)
Index("blobs_by_age", blobs.c.touched_at)

# What a project has sent the bytes of, by `kind`: blob or xorb.
holdings = Table(
    "holdings",
    metadata,
    project(primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("hash", Text, primary_key=True),
    Column("sent_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
Index("holdings_by_hash", holdings.c.hash)

# Blobs that came from the upstream: they are every project's whose mirrored commits name them.
mirrored = Table("mirrored", metadata, Column("sha256", Text, primary_key=True))

storage_limits = limits_table(metadata)
