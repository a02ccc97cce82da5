"""Reading and writing repositories and refs. Every function takes a connection; whoever opened it commits."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, Select, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from kargah.db.engine import Connection
from kargah.domain.ids import new_id
from kargah.domain.scope import project_of_new
from registry.repos.tables import commits, refs, repositories
from registry.repos.values import MAIN, Commit, Head, Ref, Repository


def find(connection: Connection, kind: str, name: str, *, lock: bool = False) -> Repository | None:
    """The project's repository of that name; locked until the transaction ends where asked."""
    own = repositories.c.project == project_of_new()
    query = select(repositories).where(own, repositories.c.kind == kind, repositories.c.name == name)
    row = connection.execute(query.with_for_update() if lock else query).first()
    return _repository(row) if row is not None else None


def own_names(connection: Connection, kind: str, names: Collection[str]) -> set[str]:
    """Those of the names that repositories of this registry's own have, not mirrored ones."""
    here = repositories.c.project == project_of_new(), repositories.c.mirrored_from.is_(None)
    own = *here, repositories.c.kind == kind, repositories.c.name.in_(names)
    return set(connection.execute(select(repositories.c.name).where(*own)).scalars()) if names else set()


def ensure(connection: Connection, kind: str, name: str, *, private: bool = False) -> tuple[Repository, bool]:
    """The repository of that name, locked until the transaction ends, and whether it was made just now."""
    values = {"project": project_of_new(), "kind": kind, "name": name, "private": private}
    fresh = upsert(repositories).values(id=new_id("repo"), **values)
    made = connection.execute(fresh.on_conflict_do_nothing().returning(repositories.c.id)).first()
    found = find(connection, kind, name, lock=True)
    assert found is not None
    return found, made is not None


def lock_names(connection: Connection) -> None:
    """Let nobody make or rename a repository until the transaction ends."""
    connection.execute(text("LOCK TABLE repositories IN SHARE ROW EXCLUSIVE MODE"))


def rename(connection: Connection, repository_id: str, name: str) -> None:
    """Give it another name, which nobody else may have."""
    connection.execute(update(repositories).where(repositories.c.id == repository_id).values(name=name))


def set_private(connection: Connection, repository_id: str, private: bool) -> None:
    """Note its visibility."""
    connection.execute(update(repositories).where(repositories.c.id == repository_id).values(private=private))


def remove(connection: Connection, repository_id: str) -> None:
    """Remove it with its commits and refs."""
    connection.execute(delete(repositories).where(repositories.c.id == repository_id))


def find_ref(connection: Connection, repository_id: str, kind: str, name: str) -> str | None:
    """The commit that a branch or a tag points to."""
    query = select(refs.c.sha).where(refs.c.repository_id == repository_id, refs.c.kind == kind, refs.c.name == name)
    return connection.execute(query).scalar_one_or_none()


def list_refs(connection: Connection, repository_id: str) -> list[Ref]:
    """All branches and tags by name."""
    query = select(refs).where(refs.c.repository_id == repository_id).order_by(refs.c.name)
    return [Ref(row.kind, row.name, row.sha) for row in connection.execute(query)]


def set_ref(connection: Connection, repository_id: str, ref: Ref) -> None:
    """Make a branch or a tag, or move it."""
    values = {"repository_id": repository_id, "kind": ref.kind, "name": ref.name, "sha": ref.sha}
    key = [refs.c.repository_id, refs.c.kind, refs.c.name]
    connection.execute(upsert(refs).values(values).on_conflict_do_update(index_elements=key, set_={"sha": ref.sha}))


def remove_ref(connection: Connection, repository_id: str, kind: str, name: str) -> bool:
    """Remove a branch or a tag; whether there was one."""
    gone = delete(refs).where(refs.c.repository_id == repository_id, refs.c.kind == kind, refs.c.name == name)
    return connection.execute(gone).rowcount > 0


def list_heads(
    connection: Connection,
    kind: str,
    *,
    search: str | None = None,
    author: str | None = None,
    tags: list[str] | None = None,
    order: str = "created",
    offset: int = 0,
    limit: int = 100,
) -> list[Head]:
    """Repositories with their `main`, newest first: by their making, or by their last commit (`order="modified"`)."""
    query = _HEADS.where(repositories.c.kind == kind)
    if search:
        query = query.where(repositories.c.name.icontains(search, autoescape=True))
    if author:
        query = query.where(repositories.c.name.istartswith(f"{author}/", autoescape=True))
    if tags:
        query = query.where(commits.c.meta["tags"].contains(tags))
    newest = commits.c.created_at if order == "modified" else repositories.c.created_at
    query = query.order_by(newest.desc(), repositories.c.id.desc()).offset(offset).limit(limit)
    return [_head(row) for row in connection.execute(query)]


_HEADS: Select[Any] = (
    select(
        repositories,
        commits.c.sha,
        commits.c.parent,
        commits.c.title,
        commits.c.description,
        commits.c.author,
        commits.c.meta,
        commits.c.created_at.label("committed_at"),
    )
    .join(refs, (refs.c.repository_id == repositories.c.id) & (refs.c.kind == "branch") & (refs.c.name == MAIN))
    .join(commits, (commits.c.repository_id == repositories.c.id) & (commits.c.sha == refs.c.sha))
)


def _repository(row: Row[Any]) -> Repository:
    return Repository(row.id, row.kind, row.name, row.private, row.created_at, row.mirrored_from)


def _head(row: Row[Any]) -> Head:
    commit = Commit(row.sha, row.parent, row.title, row.description, row.author, row.committed_at, row.meta)
    return Head(_repository(row), commit)
