"""Aliases of versions, and tags on them."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, ForeignKey, Index, Table, Text, func

from registry.blobs.tables import metadata

aliases = Table(
    "aliases",
    metadata,
    Column("model_id", Text, ForeignKey("models.id"), primary_key=True),
    Column("alias", Text, primary_key=True),
    Column("version_id", Text, ForeignKey("versions.id", ondelete="RESTRICT"), nullable=False),
    Column("previous_id", Text, ForeignKey("versions.id", ondelete="SET NULL")),
    Column("moved_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
Index("aliases_by_version", aliases.c.version_id)
Index("aliases_by_previous", aliases.c.previous_id)

version_tags = Table(
    "version_tags",
    metadata,
    Column("version_id", Text, ForeignKey("versions.id", ondelete="CASCADE"), primary_key=True),
    Column("tag", Text, primary_key=True),
)
Index("version_tags_by_tag", version_tags.c.tag)
