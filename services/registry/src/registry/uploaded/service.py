"""Uploaded datasets, as the Hub's clients read them. A repository that was pushed under the same name wins."""

from __future__ import annotations

from collections.abc import Sequence

from kargah.contracts.datasets import DatasetVersionView, DatasetView
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import Forbidden, Unavailable
from kargah.domain.names import can_name_dataset
from registry.hub.revisions import Place, no_revision
from registry.repos import repository
from registry.repos.history import BRANCH, TAG, version_tag
from registry.repos.values import DATASETS, MAIN, Commit, Entry, Head, Ref
from registry.uploaded.card import readme_of
from registry.uploaded.commits import commit_of, names_of, repository_of, sha_of, shown_name, wanted
from registry.uploaded.files import README, paths_of
from registry.uploaded.peer import DatasetPeer

_REFS = ("refs/heads/", "refs/tags/")
_LONGEST_SEARCH = 200  # no name is longer


class UploadedDatasets:
    """Safe to share between threads. Without a dataset service there are none. Raises Unavailable."""

    def __init__(self, engine: Engine, peer: DatasetPeer | None, bucket: str) -> None:
        self._engine = engine
        self._peer = peer
        self._bucket = bucket

    def has(self, kind: str, name: str) -> bool:
        """Whether an uploaded dataset is what that name means here."""
        return self._find(kind, name) is not None

    def refuse(self, kind: str, name: str) -> None:
        """Raises Forbidden where somebody is about to write to an uploaded dataset."""
        if self.has(kind, name):
            hint = f"Upload its next version (kargah dataset upload FILE --name {name}), or push under another name."
            raise Forbidden(f"{name!r} is a dataset that was uploaded to Kargah, and read-only here.", hint=hint)

    def place(self, kind: str, name: str, rest: str) -> Place | None:
        """What `revision/path` names; None for a name that is no uploaded dataset's. Raises RevisionNotFound."""
        peer, newest = self._peer, self._find(kind, name)
        if peer is None or newest is None:
            return None
        revision, path = _split(rest)
        asked = wanted(revision)
        found = newest if asked is None or asked.number is None else peer.get(newest.name, asked.number)
        if asked is None or found is None or not sha_of(found.latest).startswith(asked.sha):
            raise no_revision(repository_of(newest), revision)
        return Place(repository_of(newest), commit_of(found.latest), path.strip("/"), found.latest)

    def refs(self, kind: str, name: str) -> Sequence[Ref] | None:
        """`main`, and a tag for each version; None for a name that is no uploaded dataset's."""
        peer, newest = self._peer, self._find(kind, name)
        if peer is None or newest is None:
            return None
        tags = [Ref(TAG, version_tag(one.version), sha_of(one)) for one in peer.versions(newest.name)]
        return [Ref(BRANCH, MAIN, sha_of(newest.latest)), *reversed(tags)]

    def commits(self, place: Place) -> Sequence[Commit]:
        """The version at `place` and those before it, newest first."""
        peer, version = self._peer, place.uploaded
        if peer is None or version is None:
            return []
        return [commit_of(one) for one in peer.versions(version.dataset) if one.version <= version.version]

    def heads(self, search: str | None, author: str | None) -> Sequence[tuple[Head, Sequence[str]]]:
        """All that are seen here, with the paths of their files; with `search` in their name, of that owner."""
        if self._peer is None or len(search or "") > _LONGEST_SEARCH:
            return []
        start = f"{author}/".lower() if author else ""
        found = [one for one in self._peer.all(search) if shown_name(one.name).lower().startswith(start)]
        with UnitOfWork(self._engine) as tx:
            pushed = repository.own_names(tx.connection, DATASETS, [shown_name(one.name) for one in found])
        return [
            (Head(repository_of(one), commit_of(one.latest)), paths_of(one.latest))
            for one in found
            if shown_name(one.name) not in pushed
        ]

    def key(self, version: DatasetVersionView, entry: Entry) -> str:
        """Where the rows of a split lie in the store: beside those of the version."""
        location = self._peer.location(version.dataset, version.version) if self._peer is not None else None
        if location is None or location.bucket != self._bucket:
            message = f"The rows of {version.dataset} version {version.version} are not in this registry's store."
            raise Unavailable(message, hint="It may have been deleted in this moment.")
        return f"{location.key.rpartition('/')[0]}/{entry.sha256}"

    def card(self, place: Place) -> bytes | None:
        """The content of the file at `place` where it is the card."""
        return readme_of(place.uploaded) if place.uploaded is not None and place.path == README else None

    def _find(self, kind: str, name: str) -> DatasetView | None:
        """With its latest version."""
        if self._peer is None or kind != DATASETS or not can_name_dataset(name):
            return None
        with UnitOfWork(self._engine) as tx:
            if repository.own_names(tx.connection, kind, [name, shown_name(name)]):
                return None
        found = (self._peer.get(one) for one in names_of(name))
        return next((one for one in found if one is not None), None)


def _split(rest: str) -> tuple[str, str]:
    for prefix in _REFS:
        rest = rest.removeprefix(prefix)
    revision, _, path = rest.partition("/")
    return revision, path
