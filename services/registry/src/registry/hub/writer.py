"""Repositories, branches and tags: made, moved and removed. One transaction each."""

from __future__ import annotations

from kargah.db.engine import Connection, Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import Conflict, Forbidden, Invalid
from registry.hub.names import check_new_name, check_ref
from registry.hub.revisions import find_repository, find_revision, no_revision, refuse_mirrored
from registry.models import repository as models_repository
from registry.models.service import ModelService
from registry.repos import history, history_repository, repository
from registry.repos.history import BRANCH, TAG
from registry.repos.values import MAIN, MODELS, Ref, Repository
from registry.uploaded.service import UploadedDatasets


class HubWriter:
    """Safe to share between threads. Every call may raise RepoNotFound, Forbidden, Conflict, Invalid, Unavailable."""

    def __init__(self, engine: Engine, models: ModelService, uploaded: UploadedDatasets) -> None:
        self._engine = engine
        self._models = models
        self._uploaded = uploaded

    def create(self, kind: str, name: str, *, private: bool) -> tuple[Repository, bool]:
        """The repository of that name, and whether it was made just now. Raises Forbidden for a mirrored one."""
        check_new_name(name)
        with self._writing(kind, name) as tx:
            found = repository.find(tx.connection, kind, name, lock=True)
            if found is not None:
                refuse_mirrored(found)
            return history.open_repository(tx.connection, kind, name, private=private)

    def delete(self, kind: str, name: str) -> None:
        """Remove a repository, and the model that it is. Raises Conflict when others were trained on that."""
        with self._writing(kind, name) as tx:
            found = find_repository(tx.connection, kind, name, lock=True)
            if kind == MODELS and self._models.remove(tx.connection, name):
                return
            history_repository.touch_blobs(tx.connection, found.id)
            repository.remove(tx.connection, found.id)

    def move(self, kind: str, name: str, other: str) -> None:
        """Give a repository another name; the model that it is gets it too."""
        check_new_name(other)
        self._uploaded.refuse(kind, other)
        with self._writing(kind, name) as tx:
            repository.lock_names(tx.connection)
            found = find_repository(tx.connection, kind, name, lock=True)
            if repository.find(tx.connection, kind, other) is not None:
                raise Conflict(f"There is a repository {other!r} already.")
            repository.rename(tx.connection, found.id, other)
            if kind == MODELS:
                models_repository.rename_model(tx.connection, name, other)

    def set_private(self, kind: str, name: str, private: bool) -> None:
        """Note the visibility. It is not enforced while nobody logs in."""
        with self._writing(kind, name) as tx:
            found = find_repository(tx.connection, kind, name, lock=True)
            repository.set_private(tx.connection, found.id, private)

    def create_branch(self, kind: str, name: str, branch: str, start: str | None, *, empty: bool = False) -> None:
        """Begin a branch at a revision (`main` where none is given), or with no files at all."""
        check_ref(branch, kind=kind, tag=False)
        with self._writing(kind, name) as tx:
            found = find_repository(tx.connection, kind, name, lock=True)
            _refuse_taken(tx.connection, found, BRANCH, branch)
            if empty:
                history.append(tx.connection, found, branch, {}, title="initial commit")
                return
            commit = find_revision(tx.connection, found, start or MAIN)
            repository.set_ref(tx.connection, found.id, Ref(BRANCH, branch, commit.sha))

    def create_tag(self, kind: str, name: str, tag: str, revision: str) -> None:
        """Tag a revision."""
        check_ref(tag, kind=kind, tag=True)
        with self._writing(kind, name) as tx:
            found = find_repository(tx.connection, kind, name, lock=True)
            _refuse_taken(tx.connection, found, TAG, tag)
            commit = find_revision(tx.connection, found, revision)
            repository.set_ref(tx.connection, found.id, Ref(TAG, tag, commit.sha))

    def delete_branch(self, kind: str, name: str, branch: str) -> None:
        """Remove a branch other than `main`. Raises Forbidden, RevisionNotFound."""
        if branch == MAIN:
            raise Forbidden("The branch main cannot be deleted.")
        self._remove_ref(kind, name, BRANCH, branch)

    def delete_tag(self, kind: str, name: str, tag: str) -> None:
        """Remove a tag other than those of versions. Raises Invalid, RevisionNotFound."""
        if kind == MODELS:
            check_ref(tag, kind=kind, tag=True)
        self._remove_ref(kind, name, TAG, tag)

    def _writing(self, kind: str, name: str) -> UnitOfWork:
        """A transaction upon that repository. Raises Forbidden for an uploaded dataset."""
        self._uploaded.refuse(kind, name)
        return UnitOfWork(self._engine)

    def _remove_ref(self, kind: str, name: str, which: str, ref: str) -> None:
        with self._writing(kind, name) as tx:
            found = find_repository(tx.connection, kind, name, lock=True)
            if not repository.remove_ref(tx.connection, found.id, which, ref):
                raise no_revision(found, ref)


def _refuse_taken(connection: Connection, found: Repository, kind: str, name: str) -> None:
    """Neither the same name nor one below or above another: addresses would have two meanings."""
    for ref in repository.list_refs(connection, found.id):
        if (ref.kind, ref.name) == (kind, name):
            raise Conflict(f"{found.name!r} has a {kind} {name!r} already.")
        if ref.name.startswith(f"{name}/") or name.startswith(f"{ref.name}/"):
            raise Invalid(f"The {kind} {name!r} and the {ref.kind} {ref.name!r} are in each other's way.")
