"""The service's tables, without a schema: the role's search_path decides (`migrations/` makes them)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from kargah.db.row_security import NEW_ROW_PROJECT
from kargah.db.storage_quota import limits_table

metadata = MetaData()


def project() -> Column[str]:
    """Whose a row is: the project that the connection works for."""
    return Column("project", Text, nullable=False, server_default=text(NEW_ROW_PROJECT))


datasets = Table(
    "datasets",
    metadata,
    Column("id", Text, primary_key=True),
    project(),
    Column("name", Text, nullable=False),
    Column("version_count", Integer, nullable=False, server_default=text("0")),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    UniqueConstraint("project", "name", name="datasets_name"),
)

storage_limits = limits_table(metadata)

# `sha256` names the canonical rows, `source_sha256` the file as it was sent, `splits_sha256` a byte for each row: its
# split; `split_files` the rows of each split, and is null where they were not made. The index arrays are a RowIndex.
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
    Column("split_files", ARRAY(Text)),
    Column("index_rows", ARRAY(BigInteger), nullable=False),
    Column("index_offsets", ARRAY(BigInteger), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
