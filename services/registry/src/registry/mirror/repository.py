"""Reading and writing what is known of mirrored repositories. Every function takes a connection; its opener commits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from kargah.db.engine import Connection
from kargah.domain.ids import new_id
from kargah.domain.scope import project_of_new
from registry.blobs.tables import blobs
from registry.mirror.tables import mirror_refs, mirror_revisions
from registry.repos import history_repository, repository
from registry.repos.history import BRANCH
from registry.repos.tables import commit_files, commits, repositories
from registry.repos.values import MAIN, Commit, Entry, Ref, Repository, Tree


@dataclass(frozen=True, slots=True)
class Known:
    """Which commit a revision was, and whether the upstream said so a short time ago."""

    sha: str
    fresh: bool


@dataclass(frozen=True, slots=True)
class Mirrored:
    """A mirrored repository, as lists show it; sizes in bytes. `kept`: of what came, `whole`: of what there is."""

    repository: Repository
    commits: int
    files: int
    whole: int
    kept_files: int
    kept: int
    checked_at: datetime | None


def find_revision(connection: Connection, repository_id: str, revision: str, fresh: timedelta) -> Known | None:
    """What is known of a branch or a tag."""
    query = select(mirror_revisions.c.sha, (mirror_revisions.c.checked_at > func.now() - fresh).label("fresh")).where(
        mirror_revisions.c.repository_id == repository_id, mirror_revisions.c.revision == revision
    )
    row = connection.execute(query).first()
    return Known(row.sha, row.fresh) if row is not None else None


def note_revision(connection: Connection, repository_id: str, revision: str, sha: str) -> None:
    """The upstream says that this is the revision's commit, which is kept; lists show the one of `main`."""
    values = {"sha": sha, "checked_at": func.now()}
    statement = insert(mirror_revisions).values(repository_id=repository_id, revision=revision, **values)
    key = [mirror_revisions.c.repository_id, mirror_revisions.c.revision]
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=values))
    if revision == MAIN:
        repository.set_ref(connection, repository_id, Ref(BRANCH, MAIN, sha))


def find_refs(connection: Connection, repository_id: str, fresh: timedelta) -> tuple[Any, bool] | None:
    """The upstream's refs as it told them, and whether that was a short time ago."""
    query = select(mirror_refs.c.document, (mirror_refs.c.checked_at > func.now() - fresh).label("fresh"))
    row = connection.execute(query.where(mirror_refs.c.repository_id == repository_id)).first()
    return (row.document, row.fresh) if row is not None else None


def note_refs(connection: Connection, repository_id: str, document: Any) -> None:
    """Keep the upstream's refs."""
    values = {"document": document, "checked_at": func.now()}
    statement = insert(mirror_refs).values(repository_id=repository_id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=[mirror_refs.c.repository_id], set_=values))


def ensure(
    connection: Connection, kind: str, name: str, *, upstream: str, private: bool, created_at: datetime
) -> Repository:
    """The repository of that name, locked until the transaction ends: it may be a local one."""
    values = {"kind": kind, "name": name, "private": private, "mirrored_from": upstream, "created_at": created_at}
    fresh = insert(repositories).values(id=new_id("repo"), project=project_of_new(), **values)
    connection.execute(fresh.on_conflict_do_nothing())
    found = repository.find(connection, kind, name, lock=True)
    assert found is not None
    return found


def keep_commit(connection: Connection, repository_id: str, commit: Commit, tree: Tree) -> None:
    """Keep a commit with its files; those that came before under another commit are known by their sha256 at once."""
    known = _known_contents(connection, [entry.git_sha1 for entry in tree.values() if entry.git_sha1])
    files = {
        path: Entry(known.get(entry.git_sha1 or "", entry.sha256), entry.size_bytes, entry.git_sha1)
        for path, entry in tree.items()
    }
    history_repository.insert_commit(connection, repository_id, commit, files)


def note_content(connection: Connection, git_sha1: str, sha256: str) -> None:
    """A file of git's own came: now its sha256 is known, wherever it is mirrored."""
    unknown = (commit_files.c.git_sha1 == git_sha1, commit_files.c.sha256 == "")
    connection.execute(update(commit_files).where(*unknown).values(sha256=sha256))


def find_content(connection: Connection, git_sha1: str) -> str | None:
    """The sha256 of a file of git's own that came."""
    return _known_contents(connection, [git_sha1]).get(git_sha1)


def mirrors(connection: Connection) -> Sequence[Mirrored]:
    """All mirrored repositories by name, with what of them is kept here."""
    ours = select(repositories.c.id).where(repositories.c.mirrored_from.is_not(None))
    some = select(
        commit_files.c.repository_id, commit_files.c.sha256, commit_files.c.git_sha1, commit_files.c.size_bytes
    )
    files = some.where(commit_files.c.repository_id.in_(ours)).distinct().subquery()
    here = files.outerjoin(blobs, (blobs.c.sha256 == files.c.sha256) & blobs.c.collecting_since.is_(None))
    kept = func.count(blobs.c.sha256)
    sums = (
        select(
            files.c.repository_id,
            func.count().label("files"),
            func.sum(files.c.size_bytes).label("whole"),
            kept.label("kept_files"),
            func.sum(files.c.size_bytes).filter(blobs.c.sha256.is_not(None)).label("kept"),
        )
        .select_from(here)
        .group_by(files.c.repository_id)
        .subquery()
    )
    count = select(func.count()).where(commits.c.repository_id == repositories.c.id).scalar_subquery()
    asked = mirror_revisions.c.checked_at
    checked = select(func.max(asked)).where(mirror_revisions.c.repository_id == repositories.c.id).scalar_subquery()
    query = (
        select(repositories, count.label("commits"), checked.label("checked_at"), sums)
        .outerjoin(sums, sums.c.repository_id == repositories.c.id)
        .where(repositories.c.mirrored_from.is_not(None))
        .order_by(repositories.c.kind.desc(), repositories.c.name)
    )
    return [
        Mirrored(
            Repository(row.id, row.kind, row.name, row.private, row.created_at, row.mirrored_from),
            row.commits,
            row.files or 0,
            int(row.whole or 0),
            row.kept_files or 0,
            int(row.kept or 0),
            row.checked_at,
        )
        for row in connection.execute(query)
    ]


def drop(connection: Connection, repository_id: str) -> None:
    """The mirror goes; its blobs have the whole grace, and stay where something else names them."""
    history_repository.touch_blobs(connection, repository_id)
    connection.execute(delete(repositories).where(repositories.c.id == repository_id))


def _known_contents(connection: Connection, wanted: Collection[str]) -> dict[str, str]:
    query = select(commit_files.c.git_sha1, commit_files.c.sha256).where(
        commit_files.c.git_sha1.in_(wanted), commit_files.c.sha256 != ""
    )
    return {row.git_sha1: row.sha256 for row in connection.execute(query.distinct())} if wanted else {}
