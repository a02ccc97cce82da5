"""How a repository moves on: commits that come with a model version, and versions that go. One transaction each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kargah.contracts.models import ModelVersionView
from kargah.db.engine import Connection
from registry.repos import history_repository, repository
from registry.repos.objects import commit_sha
from registry.repos.values import MAIN, MODELS, Commit, Ref, Repository, Tree, without_card

AUTHOR = "kargah"
BRANCH, TAG = "branch", "tag"
_FIRST = "initial commit"
_VERSION_TAG = re.compile(r"v[0-9]+")


def open_repository(connection: Connection, kind: str, name: str, *, private: bool = False) -> tuple[Repository, bool]:
    """The repository, locked until the transaction ends, and whether it is new; a new one has an empty `main`.

    A mirrored repository of that name makes way.
    """
    found, made = repository.ensure(connection, kind, name, private=private)
    if found.mirrored_from is not None:
        history_repository.touch_blobs(connection, found.id)
        repository.remove(connection, found.id)
        found, made = repository.ensure(connection, kind, name, private=private)
    if made:
        append(connection, found, MAIN, {}, title=_FIRST)
    return found, made


def append(
    connection: Connection,
    found: Repository,
    branch: str,
    tree: Tree,
    *,
    title: str,
    description: str = "",
    meta: Mapping[str, Any] | None = None,
) -> Commit:
    """Put a commit of `tree` on top of a branch of a repository that is locked."""
    parent = repository.find_ref(connection, found.id, BRANCH, branch)
    moment = history_repository.now(connection)
    message = f"{title}\n\n{description}" if description else title
    sha = commit_sha(tree, parent, AUTHOR, moment, message)
    commit = Commit(sha, parent, title, description, AUTHOR, moment, meta or {})
    history_repository.insert_commit(connection, found.id, commit, tree)
    repository.set_ref(connection, found.id, Ref(BRANCH, branch, sha))
    return commit


def lock(connection: Connection, name: str) -> None:
    """Keep others from the repository of a model until the transaction ends; before the model itself is locked."""
    repository.find(connection, MODELS, name, lock=True)


def version_tag(number: int) -> str:
    """The tag of a model's version."""
    return f"v{number}"


def record_version(connection: Connection, version: ModelVersionView, tree: Tree, meta: Mapping[str, Any]) -> None:
    """A version that a job or an install made is a commit on `main`, and tagged."""
    found, _ = open_repository(connection, MODELS, version.model)
    commit = append(
        connection, found, MAIN, tree, title=f"Version {version.version}", description=version.source, meta=meta
    )
    tag_version(connection, found, version.version, commit)


def tag_version(connection: Connection, found: Repository, number: int, commit: Commit) -> None:
    """Note which commit is a version."""
    repository.set_ref(connection, found.id, Ref(TAG, version_tag(number), commit.sha))


def forget_model(connection: Connection, name: str) -> None:
    """The model goes, and its repository with it."""
    found = repository.find(connection, MODELS, name, lock=True)
    if found is not None:
        history_repository.touch_blobs(connection, found.id)
        repository.remove(connection, found.id)


def forget_version(connection: Connection, name: str, number: int) -> None:
    """One version goes: its tag, its commit, and those upon it that are the same model with another card. Other commits
    that were made upon it stay what they are."""
    found = repository.find(connection, MODELS, name, lock=True)
    sha = repository.find_ref(connection, found.id, TAG, version_tag(number)) if found is not None else None
    commit = history_repository.find_commit(connection, found.id, sha) if found is not None and sha else None
    if found is None or commit is None:
        return
    for one in reversed(_same_model(connection, found, commit)):
        history_repository.touch_blobs(connection, found.id, one.sha)
        history_repository.remove_commit(connection, found.id, one)


def _same_model(connection: Connection, found: Repository, commit: Commit) -> list[Commit]:
    """A version's commit, and those upon it that are no other version's and differ from it in their cards alone."""
    versions = {ref.sha for ref in repository.list_refs(connection, found.id) if _VERSION_TAG.fullmatch(ref.name)}
    files = _model_of(connection, found, commit)
    same = [commit]
    for one in same:
        for child in history_repository.children(connection, found.id, one.sha):
            if child.sha not in versions and _model_of(connection, found, child) == files:
                same.append(child)
    return same


def _model_of(connection: Connection, found: Repository, commit: Commit) -> dict[str, str]:
    tree = history_repository.read_tree(connection, found.id, commit.sha)
    return without_card({path: entry.sha256 for path, entry in tree.items()})
