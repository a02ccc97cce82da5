"""How many bytes of files each project keeps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import exists, func, select, union

from kargah.db.engine import Connection
from registry.blobs.possession_repository import BLOB
from registry.blobs.tables import blobs, holdings, mirrored
from registry.models.tables import models, version_files, versions
from registry.repos.tables import commit_files, repositories


def used_bytes(connection: Connection, grace: timedelta) -> Mapping[str, int]:
    """By project, each content once: the files of its versions and commits, and what it sent within `grace`, which its
    next commit may name. What its mirrors hold came from elsewhere and is not counted."""
    in_versions = select(models.c.project, version_files.c.sha256, version_files.c.size_bytes).select_from(
        version_files.join(versions, versions.c.id == version_files.c.version_id).join(
            models, models.c.id == versions.c.model_id
        )
    )
    in_commits = (
        select(repositories.c.project, commit_files.c.sha256, commit_files.c.size_bytes)
        .select_from(commit_files.join(repositories, repositories.c.id == commit_files.c.repository_id))
        .where(repositories.c.mirrored_from.is_(None))
    )
    came = exists().where(mirrored.c.sha256 == holdings.c.hash)
    sent = (
        select(holdings.c.project, blobs.c.sha256, blobs.c.size_bytes)
        .select_from(holdings.join(blobs, blobs.c.sha256 == holdings.c.hash))
        .where(holdings.c.kind == BLOB, holdings.c.sent_at > func.now() - grace, ~came)
    )
    once = union(in_versions, in_commits, sent).subquery()
    query = select(once.c.project, func.sum(once.c.size_bytes)).group_by(once.c.project)
    return {row[0]: int(row[1]) for row in connection.execute(query)}
