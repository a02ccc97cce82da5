"""The birth of a job: from a draft to a row, and the same request again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from gateway.jobs.draft import Draft
from kargah.contracts.jobs import JobView
from kargah.db.engine import Connection
from kargah.domain.ids import new_id
from kargah.jobstore import query_repository, submission_repository
from kargah.jobstore.values import NewJob
from kargah.telemetry.ids import origin


@dataclass(frozen=True, slots=True)
class Accepted:
    """A queued job; `created` is False when the same request had come before."""

    job: JobView
    created: bool


def insert(conn: Connection, new: NewJob, usually_waiting: int | None) -> Accepted:
    """Queue it. Raises Conflict, OverQuota."""
    return Accepted(*submission_repository.insert_job(conn, new, usually_waiting))


def new_job(kind: str, draft: Draft, priority: int, key: str | None, digest: str, owner: str) -> NewJob:
    """What a draft is as a job."""
    return NewJob(new_id("job"), kind, draft.name, draft.config, priority, key, digest, owner, origin())


def known_one(conn: Connection, owner: str, key: str | None, digest: str) -> Accepted | None:
    """The job of an earlier, equal request: before resolving, for what was installed then may be gone."""
    found = None if key is None else submission_repository.find_submitted(conn, owner, key, digest)
    return None if found is None else Accepted(query_repository.get_job(conn, found), False)


def digest_of(kind: str, request: dict[str, Any]) -> str:
    """The same for equal requests."""
    canonical = json.dumps([kind, request], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
