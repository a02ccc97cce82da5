"""What the mirror knows of its upstream, and files on their way in. Times are the database's own."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Integer, Table, Text, func
from sqlalchemy.dialects.postgresql import JSONB

from registry.blobs.tables import metadata


def _at(name: str) -> Column[datetime]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


def _repository_id() -> Column[str]:
    return Column("repository_id", Text, ForeignKey("repositories.id", ondelete="CASCADE"), primary_key=True)


# Which commit a branch or a tag was when the upstream was last asked.
mirror_revisions = Table(
    "mirror_revisions",
    metadata,
    _repository_id(),
    Column("revision", Text, primary_key=True),
    Column("sha", Text, nullable=False),
    _at("checked_at"),
)

# The upstream's list of branches and tags, as it was told.
mirror_refs = Table(
    "mirror_refs", metadata, _repository_id(), Column("document", JSONB, nullable=False), _at("checked_at")
)

# A file on its way in, by its ETag. `generation` fences whoever lost the lease. `failure`: why the last try ended;
# until `refused_until` nobody tries again (wrong bytes came).
fetches = Table(
    "fetches",
    metadata,
    Column("etag", Text, primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("generation", Integer, nullable=False),
    _at("lease_until"),
    Column("failure", JSONB(none_as_null=True)),
    Column("refused_until", DateTime(timezone=True)),
)

# The bytes that came, in order: from `begin` on, in the object that `generation` wrote.
fetch_parts = Table(
    "fetch_parts",
    metadata,
    Column("etag", Text, ForeignKey("fetches.etag", ondelete="CASCADE"), primary_key=True),
    Column("begin", BigInteger, primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("generation", Integer, nullable=False),
)
