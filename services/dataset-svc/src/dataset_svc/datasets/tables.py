"""The service's tables, without a schema: the role's search_path decides (`migrations/` makes them)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Integer, MetaData, Table, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()

datasets = Table(
    "datasets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("version_count", Integer, nullable=False, server_default=text("0")),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

# `sha256` names the canonical rows, `source_sha256` the file as it was sent, `splits_sha256` a byte for each row: its
# split. The index arrays are a RowIndex.
versions = Table(
    "dataset_versions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("dataset_id", Text, ForeignKey("datasets.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("format", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("source_sha256", Text, nullable=False),
    Column("source_filename", Text, nullable=False),
    Column("stats", JSONB, nullable=False),
    Column("warnings", JSONB, nullable=False),
    Column("lineage", JSONB),
    Column("splits", JSONB),
    Column("splits_sha256", Text),
    Column("index_rows", ARRAY(BigInteger), nullable=False),
    Column("index_offsets", ARRAY(BigInteger), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
