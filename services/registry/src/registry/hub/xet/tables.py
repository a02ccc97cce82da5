"""Xorbs that came, and where in which blobs their chunks are once files were made of them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from registry.blobs.tables import created_at, metadata

# `ends` and `sizes`: numbers of 32 bits, lowest byte first, one for each chunk.
xorbs = Table(
    "xorbs",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("ends", LargeBinary, nullable=False),
    Column("sizes", LargeBinary, nullable=False),
    created_at(),
)

# The chunks from `first` to before `last` stand in the blob `sha256` from `place` (bytes) on.
xorb_places = Table(
    "xorb_places",
    metadata,
    Column("hash", Text, ForeignKey("xorbs.hash", ondelete="CASCADE"), primary_key=True),
    Column("first", Integer, primary_key=True),
    Column("last", Integer, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("place", BigInteger, nullable=False),
)
Index("xorb_places_by_blob", xorb_places.c.sha256)
