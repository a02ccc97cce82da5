"""Reading and writing commits and their files. Every function takes a connection; whoever opened it commits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from kargah.db.engine import Connection
from registry.blobs.tables import blobs
from registry.repos.tables import commit_files, commits, refs
from registry.repos.values import Commit, Entry, Tree

_SHORTEST_SHA = 7
_WHOLE_SHA = 40


def find_commit(connection: Connection, repository_id: str, sha: str) -> Commit | None:
    """The commit with that sha, or the only one that begins with these 7 digits or more."""
    query = select(commits).where(commits.c.repository_id == repository_id)
    if len(sha) == _WHOLE_SHA:
        query = query.where(commits.c.sha == sha)
    elif len(sha) >= _SHORTEST_SHA:
        query = query.where(commits.c.sha.startswith(sha, autoescape=True)).limit(2)
    else:
        return None
    rows = connection.execute(query).all()
    return _commit(rows[0]) if len(rows) == 1 else None


def list_commits(connection: Connection, repository_id: str, sha: str, *, limit: int) -> list[Commit]:
    """Up to `limit` commits from `sha` on back to its ancestors."""
    wanted = (commits.c.repository_id == repository_id, commits.c.sha == sha)
    chain = (
        select(commits.c.sha, commits.c.parent)
        .where(*wanted)
        .add_columns(literal(0).label("depth"))
        .cte("chain", recursive=True)
    )
    older = select(commits.c.sha, commits.c.parent, (chain.c.depth + 1)).where(
        commits.c.repository_id == repository_id, commits.c.sha == chain.c.parent, chain.c.depth < limit - 1
    )
    chain = chain.union_all(older)
    query = select(commits).join(chain, (commits.c.sha == chain.c.sha) & (commits.c.repository_id == repository_id))
    return [_commit(row) for row in connection.execute(query.order_by(chain.c.depth))]


def children(connection: Connection, repository_id: str, sha: str) -> list[Commit]:
    """The commits that were made upon this one."""
    query = select(commits).where(commits.c.repository_id == repository_id, commits.c.parent == sha)
    return [_commit(row) for row in connection.execute(query)]


def read_tree(connection: Connection, repository_id: str, sha: str) -> dict[str, Entry]:
    """The files of a commit by path, in the order of their paths."""
    query = select(commit_files).where(commit_files.c.repository_id == repository_id, commit_files.c.sha == sha)
    rows = connection.execute(query.order_by(commit_files.c.path))
    return {row.path: _entry(row) for row in rows}


def find_file(connection: Connection, repository_id: str, sha: str, path: str) -> Entry | None:
    """One file of a commit."""
    query = select(commit_files).where(
        commit_files.c.repository_id == repository_id, commit_files.c.sha == sha, commit_files.c.path == path
    )
    row = connection.execute(query).first()
    return _entry(row) if row is not None else None


def paths_of(connection: Connection, found: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """The paths of several commits, each (repository id, sha), by repository id."""
    by_id: dict[str, list[str]] = {repository_id: [] for repository_id, _ in found}
    shas = {sha for _, sha in found}
    wanted = (commit_files.c.repository_id.in_(by_id), commit_files.c.sha.in_(shas))
    query = select(commit_files.c.repository_id, commit_files.c.sha, commit_files.c.path).where(*wanted)
    of = dict(found)
    for row in connection.execute(query.order_by(commit_files.c.path)) if found else ():
        if of[row.repository_id] == row.sha:
            by_id[row.repository_id].append(row.path)
    return by_id


def insert_commit(connection: Connection, repository_id: str, commit: Commit, tree: Tree) -> None:
    """Keep a commit with its files. The same commit twice is kept once, as in git."""
    values = {
        "repository_id": repository_id,
        "sha": commit.sha,
        "parent": commit.parent,
        "title": commit.title,
        "description": commit.description,
        "author": commit.author,
        "created_at": commit.created_at,
        "meta": commit.meta,
    }
    fresh = upsert(commits).values(values).on_conflict_do_nothing().returning(commits.c.sha)
    if connection.execute(fresh).first() is None or not tree:
        return
    rows = [_file_values(repository_id, commit.sha, path, entry) for path, entry in tree.items()]
    connection.execute(insert(commit_files), rows)


def remove_commit(connection: Connection, repository_id: str, commit: Commit) -> None:
    """Take a commit out of the history: what was built upon it, and branches at it, go on from its parent."""
    own = commits.c.repository_id == repository_id
    connection.execute(update(commits).where(own, commits.c.parent == commit.sha).values(parent=commit.parent))
    if commit.parent is not None:
        at_it = (refs.c.repository_id == repository_id, refs.c.sha == commit.sha, refs.c.kind == "branch")
        connection.execute(update(refs).where(*at_it).values(sha=commit.parent))
    connection.execute(delete(commits).where(own, commits.c.sha == commit.sha))


def touch_blobs(connection: Connection, repository_id: str, sha: str | None = None) -> None:
    """A commit (or all of them) goes, and whoever still reads its files gets the whole grace to finish."""
    owned = select(commit_files.c.sha256).where(commit_files.c.repository_id == repository_id)
    if sha is not None:
        owned = owned.where(commit_files.c.sha == sha)
    connection.execute(update(blobs).where(blobs.c.sha256.in_(owned)).values(touched_at=func.now()))


def now(connection: Connection) -> datetime:
    """The database's time, in whole seconds as commits have it."""
    moment: datetime = connection.execute(select(func.date_trunc("second", func.now()))).scalar_one()
    return moment


def _file_values(repository_id: str, sha: str, path: str, entry: Entry) -> dict[str, Any]:
    return {
        "repository_id": repository_id,
        "sha": sha,
        "path": path,
        "sha256": entry.sha256,
        "size_bytes": entry.size_bytes,
        "git_sha1": entry.git_sha1,
    }


def _entry(row: Row[Any]) -> Entry:
    return Entry(row.sha256, row.size_bytes, row.git_sha1)


def _commit(row: Row[Any]) -> Commit:
    return Commit(row.sha, row.parent, row.title, row.description, row.author, row.created_at, row.meta)
