"""Reading repositories: infos, trees, commits, refs, and where a file's bytes are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from registry.hub import views
from registry.hub.errors import EntryNotFound
from registry.hub.revisions import Place, find_place, find_repository, refuse_mirrored
from registry.hub.wire import CommitView, RefsView, RepoInfo, Sibling, TreeEntry
from registry.repos import history_repository, repository
from registry.repos.values import MAIN, Entry, Head, Repository, Tree

_MOST_COMMITS = 1000


@dataclass(frozen=True, slots=True)
class ListFilter:
    """What a list shall hold, and in which order: `created` or `modified`."""

    search: str | None = None
    author: str | None = None
    tags: Sequence[str] = ()
    order: str = "created"
    full: bool = False


class HubReader:
    """Safe to share between threads. Raises RepoNotFound, RevisionNotFound, EntryNotFound; Unavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def list(self, kind: str, wanted: ListFilter, *, offset: int, limit: int) -> Sequence[RepoInfo]:
        """Repositories, newest first; with the names of their files where `full`."""
        with UnitOfWork(self._engine) as tx:
            heads = repository.list_heads(
                tx.connection,
                kind,
                search=wanted.search,
                author=wanted.author,
                tags=list(wanted.tags),
                order=wanted.order,
                offset=offset,
                limit=limit,
            )
            pairs = [(head.repository.id, head.commit.sha) for head in heads] if wanted.full else []
            paths = history_repository.paths_of(tx.connection, pairs)
        return [views.info(head, _names(paths.get(head.repository.id)), card=wanted.full) for head in heads]

    def info(self, kind: str, name: str, revision: str = MAIN, *, blobs: bool = False) -> RepoInfo:
        """A repository at a revision, with its files."""
        place, tree = self.tree(kind, name, revision)
        return views.info(Head(place.repository, place.commit), views.siblings(tree, blobs=blobs))

    def tree(self, kind: str, name: str, rest: str) -> tuple[Place, Tree]:
        """The commit at `revision/path`, and all of its files."""
        with UnitOfWork(self._engine) as tx:
            place = find_place(tx.connection, kind, name, rest)
            return place, history_repository.read_tree(tx.connection, place.repository.id, place.commit.sha)

    def entries(self, kind: str, name: str, rest: str, *, recursive: bool) -> Sequence[TreeEntry]:
        """What is below a folder of a revision."""
        place, tree = self.tree(kind, name, rest)
        found = views.entries(tree, place.path, recursive=recursive)
        if place.path and not found:
            raise no_entry(place)
        return found

    def at_paths(self, kind: str, name: str, revision: str, paths: Sequence[str]) -> Sequence[TreeEntry]:
        """Those of `paths` that a revision has."""
        return views.at_paths(self.tree(kind, name, revision)[1], paths)

    def file(self, kind: str, name: str, rest: str) -> tuple[Place, Entry | None]:
        """The commit at `revision/path`, and the file there if there is one."""
        with UnitOfWork(self._engine) as tx:
            place = find_place(tx.connection, kind, name, rest)
            connection, found = tx.connection, place.repository
            return place, history_repository.find_file(connection, found.id, place.commit.sha, place.path)

    def commits(self, kind: str, name: str, revision: str) -> Sequence[CommitView]:
        """The commits of a revision, newest first, at most a thousand."""
        with UnitOfWork(self._engine) as tx:
            place = find_place(tx.connection, kind, name, revision)
            found = history_repository.list_commits(
                tx.connection, place.repository.id, place.commit.sha, limit=_MOST_COMMITS
            )
        return [views.history_entry(one) for one in found]

    def refs(self, kind: str, name: str) -> RefsView:
        """The branches and tags."""
        with UnitOfWork(self._engine) as tx:
            found = find_repository(tx.connection, kind, name)
            return views.refs(repository.list_refs(tx.connection, found.id))

    def repository(self, kind: str, name: str) -> Repository:
        """The repository itself, to push to. Raises Forbidden for a mirrored one."""
        with UnitOfWork(self._engine) as tx:
            found = find_repository(tx.connection, kind, name)
        refuse_mirrored(found)
        return found


def no_entry(place: Place) -> EntryNotFound:
    """The error for a file or folder that is not there."""
    return EntryNotFound(f"{place.repository.name!r} has no {place.path[:300]!r} at {place.commit.sha[:7]}.")


def _names(paths: Sequence[str] | None) -> Sequence[Sibling] | None:
    return [Sibling(rfilename=path) for path in paths] if paths is not None else None
