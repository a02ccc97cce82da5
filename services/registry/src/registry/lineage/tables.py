"""What a version was made from. No foreign key to the parent: a history outlives what it tells of."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from registry.blobs.tables import metadata

parents = Table(
    "version_parents",
    metadata,
    Column("version_id", Text, ForeignKey("versions.id", ondelete="CASCADE"), primary_key=True),
    Column("relation", Text, primary_key=True),
    Column("parent_id", Text, nullable=False),
)
Index("version_parents_by_parent", parents.c.parent_id)
