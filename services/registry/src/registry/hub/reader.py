"""Reading repositories: infos, trees, commits, refs, and where a file's bytes are."""

from __future__ import annotations

from collections.abc import Sequence

from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from registry.hub import views
from registry.hub.errors import EntryNotFound
from registry.hub.listing import ListFilter, merged, uploaded_heads
from registry.hub.revisions import Place, find_place, find_repository, refuse_mirrored
from registry.hub.wire import CommitView, RefsView, RepoInfo, Sibling, TreeEntry
from registry.repos import history_repository, repository
from registry.repos.values import DATASETS, MAIN, Entry, Head, Repository, Tree
from registry.uploaded.commits import tree_of
from registry.uploaded.service import UploadedDatasets

_MOST_COMMITS = 1000


class HubReader:
    """Safe to share between threads. Raises RepoNotFound, RevisionNotFound, EntryNotFound; Unavailable."""

    def __init__(self, engine: Engine, uploaded: UploadedDatasets) -> None:
        self._engine = engine
        self._uploaded = uploaded

    def list(self, kind: str, wanted: ListFilter, *, offset: int, limit: int) -> Sequence[RepoInfo]:
        """Repositories, newest first; with the names of their files where `full`."""
        uploaded = uploaded_heads(self._uploaded, wanted) if kind == DATASETS else {}
        with UnitOfWork(self._engine, snapshot=True) as tx:
            heads = repository.list_heads(
                tx.connection,
                kind,
                search=wanted.search,
                author=wanted.author,
                tags=list(wanted.tags),
                order=wanted.order,
                offset=0 if uploaded else offset,
                limit=offset + limit if uploaded else limit,
            )
            if uploaded:
                heads = merged(heads, uploaded, wanted.order)[offset : offset + limit]
            pairs = [(head.repository.id, head.commit.sha) for head in heads] if wanted.full else []
            paths = history_repository.paths_of(tx.connection, pairs)
        if wanted.full:
            paths |= {head.repository.id: list(files) for head, files in uploaded.values()}
        return [views.info(head, _names(paths.get(head.repository.id)), card=wanted.full) for head in heads]

    def info(self, kind: str, name: str, revision: str = MAIN, *, blobs: bool = False) -> RepoInfo:
        """A repository at a revision, with its files."""
        place, tree = self.tree(kind, name, revision)
        return views.info(Head(place.repository, place.commit), views.siblings(tree, blobs=blobs))

    def tree(self, kind: str, name: str, rest: str) -> tuple[Place, Tree]:
        """The commit at `revision/path`, and all of its files."""
        uploaded = self._uploaded.place(kind, name, rest)
        if uploaded is not None and uploaded.uploaded is not None:
            return uploaded, tree_of(uploaded.uploaded)
        with UnitOfWork(self._engine, snapshot=True) as tx:
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
        uploaded = self._uploaded.place(kind, name, rest)
        if uploaded is not None and uploaded.uploaded is not None:
            return uploaded, tree_of(uploaded.uploaded).get(uploaded.path)
        with UnitOfWork(self._engine, snapshot=True) as tx:
            place = find_place(tx.connection, kind, name, rest)
            connection, found = tx.connection, place.repository
            return place, history_repository.find_file(connection, found.id, place.commit.sha, place.path)

    def commits(self, kind: str, name: str, revision: str) -> Sequence[CommitView]:
        """The commits of a revision, newest first, at most a thousand."""
        if (uploaded := self._uploaded.place(kind, name, revision)) is not None:
            return [views.history_entry(one) for one in self._uploaded.commits(uploaded)[:_MOST_COMMITS]]
        with UnitOfWork(self._engine, snapshot=True) as tx:
            place = find_place(tx.connection, kind, name, revision)
            found = history_repository.list_commits(
                tx.connection, place.repository.id, place.commit.sha, limit=_MOST_COMMITS
            )
        return [views.history_entry(one) for one in found]

    def refs(self, kind: str, name: str) -> RefsView:
        """The branches and tags."""
        if (uploaded := self._uploaded.refs(kind, name)) is not None:
            return views.refs(uploaded)
        with UnitOfWork(self._engine, snapshot=True) as tx:
            found = find_repository(tx.connection, kind, name)
            return views.refs(repository.list_refs(tx.connection, found.id))

    def repository(self, kind: str, name: str) -> Repository:
        """The repository itself, to push to. Raises Forbidden for a mirrored one and for an uploaded dataset."""
        self._uploaded.refuse(kind, name)
        with UnitOfWork(self._engine, snapshot=True) as tx:
            found = find_repository(tx.connection, kind, name)
        refuse_mirrored(found)
        return found


def no_entry(place: Place) -> EntryNotFound:
    """The error for a file or folder that is not there."""
    return EntryNotFound(f"{place.repository.name!r} has no {place.path[:300]!r} at {place.commit.sha[:7]}.")


def _names(paths: Sequence[str] | None) -> Sequence[Sibling] | None:
    return [Sibling(rfilename=path) for path in paths] if paths is not None else None
