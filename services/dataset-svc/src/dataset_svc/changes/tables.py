"""The table of changes asked for (`migrations/` makes it)."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, DateTime, ForeignKey, Index, Integer, Table, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB

from dataset_svc.datasets.tables import metadata

# `request` as it came, with the version that it is about; `state`: waiting, working, done, failed, cancelled.
# `generation` is the fence of who works on it until `lease_until`. A dataset with a live one cannot be deleted.
changes = Table(
    "dataset_changes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("dataset_id", Text, ForeignKey("datasets.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("request", JSONB, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'waiting'")),
    Column("total_bytes", BigInteger, nullable=False),
    Column("done_bytes", BigInteger, nullable=False, server_default=text("0")),
    Column("generation", Integer, nullable=False, server_default=text("0")),
    Column("lease_until", DateTime(timezone=True)),
    Column("started_at", DateTime(timezone=True)),
    Column("version_id", Text),
    Column("is_new", Boolean),
    Column("report", JSON),
    Column("problem", JSONB),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("ended_at", DateTime(timezone=True)),
    Index("dataset_changes_by_state", "state", "created_at"),
    Index("dataset_changes_by_dataset", "dataset_id"),
)
