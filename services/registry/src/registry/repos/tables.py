"""Repositories, their commits, the files of each, and refs. Times are the database's own."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from registry.blobs.tables import created_at, metadata, project

# `mirrored_from`: the address of the hub that a mirrored repository is read from; nobody writes to it here.
repositories = Table(
    "repositories",
    metadata,
    Column("id", Text, primary_key=True),
    project(),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("private", Boolean, nullable=False, server_default=text("false")),
    Column("mirrored_from", Text),
    created_at(),
    UniqueConstraint("project", "kind", "name", name="repositories_name"),
)

# `meta`: what lists and model pages say of it (tags, pipeline, library, the card's front matter).
commits = Table(
    "commits",
    metadata,
    Column("repository_id", Text, ForeignKey("repositories.id", ondelete="CASCADE"), primary_key=True),
    Column("sha", Text, primary_key=True),
    Column("parent", Text),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("meta", JSONB, nullable=False),
    created_at(),
)
Index("commits_by_parent", commits.c.repository_id, commits.c.parent)

# `git_sha1`: of a small text file that git itself would keep; without one it is an LFS file, known by its sha256.
# `sha256` is empty for a mirrored file of git's own that was not fetched yet.
commit_files = Table(
    "commit_files",
    metadata,
    Column("repository_id", Text, primary_key=True),
    Column("sha", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("git_sha1", Text),
    ForeignKeyConstraint(
        ["repository_id", "sha"], ["commits.repository_id", "commits.sha"], name="commit_files_of", ondelete="CASCADE"
    ),
)
Index("commit_files_by_blob", commit_files.c.sha256)
Index("commit_files_by_git_sha1", commit_files.c.git_sha1, postgresql_where=commit_files.c.git_sha1.is_not(None))

refs = Table(
    "refs",
    metadata,
    Column("repository_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("sha", Text, nullable=False),
    ForeignKeyConstraint(
        ["repository_id", "sha"], ["commits.repository_id", "commits.sha"], name="refs_to", ondelete="CASCADE"
    ),
)
