"""Whose content is. To know a hash is not to have what it names: a project has what it has sent itself, and what its
versions and commits name.

Where nobody logs in everything is everybody's. Every function takes a connection; whoever opened it commits.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.dialects.postgresql import insert

from kargah.db.engine import Connection
from kargah.domain.scope import EVERY, current_project
from registry.blobs.tables import holdings, mirrored
from registry.models.tables import version_files
from registry.repos.tables import commit_files, repositories

BLOB, XORB = "blob", "xorb"


def hold(connection: Connection, kind: str, hashes: Collection[str]) -> None:
    """The project has sent these bytes."""
    if current_project() == EVERY:
        return
    # In one order everywhere, so that two callers wait for each other rather than deadlock.
    rows = [{"project": current_project(), "kind": kind, "hash": one} for one in sorted(set(hashes))]
    if rows:
        connection.execute(insert(holdings).values(rows).on_conflict_do_nothing())


def sent(connection: Connection, kind: str, hashes: Collection[str]) -> set[str]:
    """Those of which the project has sent the bytes."""
    if current_project() == EVERY:
        return set(hashes)
    query = select(holdings.c.hash).where(
        holdings.c.project == current_project(), holdings.c.kind == kind, holdings.c.hash.in_(hashes)
    )
    return set(connection.execute(query).scalars())


def held(connection: Connection, digests: Collection[str]) -> set[str]:
    """The sha256 of those blobs that the project has."""
    found = sent(connection, BLOB, digests)
    if left := set(digests) - found:
        found |= _named(connection, left)
    return found


def note_mirrored(connection: Connection, sha256: str) -> None:
    """The blob came from the upstream."""
    connection.execute(insert(mirrored).values(sha256=sha256).on_conflict_do_nothing())


def forget(connection: Connection, kind: str, hashes: Collection[str]) -> None:
    """Their bytes are gone, whoever sent them."""
    connection.execute(delete(holdings).where(holdings.c.kind == kind, holdings.c.hash.in_(hashes)))
    if kind == BLOB:
        connection.execute(delete(mirrored).where(mirrored.c.sha256.in_(hashes)))


def _named(connection: Connection, digests: Collection[str]) -> set[str]:
    """By a version or a commit of the project. What a mirrored commit names was only announced, until it came."""
    came = exists().where(mirrored.c.sha256 == commit_files.c.sha256)
    in_versions = select(version_files.c.sha256).where(version_files.c.sha256.in_(digests))
    in_commits = (
        select(commit_files.c.sha256)
        .join(repositories, repositories.c.id == commit_files.c.repository_id)
        .where(commit_files.c.sha256.in_(digests), or_(repositories.c.mirrored_from.is_(None), came))
    )
    return set(connection.execute(in_versions.union(in_commits)).scalars())
