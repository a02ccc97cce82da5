"""From the names in an address to a repository, a commit and a path in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kargah.contracts.datasets import DatasetVersionView
from kargah.db.engine import Connection
from kargah.domain.errors import Forbidden
from kargah.domain.names import ALIAS_PATTERN
from registry.hub.errors import RevisionNotFound
from registry.hub.names import check_id, no_repository
from registry.models import repository as models_repository
from registry.repos import history_repository, repository
from registry.repos.history import BRANCH, TAG, version_tag
from registry.repos.values import MODELS, Commit, Repository

_HEADS = ("refs/heads/", "refs/tags/")
_DEEPEST_REF = 8
_ALIAS = re.compile(ALIAS_PATTERN)
_SHA = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Place:
    """A commit of a repository, and what the address said behind the revision (empty: the root). `uploaded`: the
    version that it is, where it is the dataset service's."""

    repository: Repository
    commit: Commit
    path: str = ""
    uploaded: DatasetVersionView | None = None


def find_repository(connection: Connection, kind: str, name: str, *, lock: bool = False) -> Repository:
    """The repository. Raises RepoNotFound; Forbidden for a mirrored one that is to be changed, hence locked."""
    check_id(kind, name)
    found = repository.find(connection, kind, name, lock=lock)
    if found is None:
        raise no_repository(kind, name)
    if lock:
        refuse_mirrored(found)
    return found


def refuse_mirrored(found: Repository) -> None:
    """Raises Forbidden for a repository that is another hub's: nobody writes to it here."""
    if found.mirrored_from is not None:
        hint = f"Push under another name, or drop the mirror first: kargah hub mirror drop {found.path}"
        raise Forbidden(f"{found.name!r} is mirrored from {found.mirrored_from} and read-only here.", hint=hint)


def find_place(connection: Connection, kind: str, name: str, rest: str) -> Place:
    """`rest` is `revision/path`. Raises RepoNotFound, RevisionNotFound.

    A branch may have slashes of its own, which arrive unquoted. As in git no ref lies below another, so that at most
    one beginning of `rest` is a revision.
    """
    found = find_repository(connection, kind, name)
    parts = rest.split("/")
    for count in range(1, min(len(parts), _DEEPEST_REF) + 1) if not _SHA.fullmatch(parts[0]) else ():
        sha = _ref(connection, found, "/".join(parts[:count]))
        if sha is not None:
            return _place(connection, found, sha, "/".join(parts[count:]))
    return _place(connection, found, parts[0], "/".join(parts[1:]))


def find_revision(connection: Connection, found: Repository, revision: str) -> Commit:
    """The commit of a branch, a tag, or a sha (7 digits suffice). Raises RevisionNotFound."""
    sha = _ref(connection, found, revision) or revision
    commit = history_repository.find_commit(connection, found.id, sha)
    if commit is None:
        raise no_revision(found, revision)
    return commit


def no_revision(found: Repository, revision: str) -> RevisionNotFound:
    """The error for a branch, tag or commit that is not there."""
    return RevisionNotFound(f"{found.name!r} has no revision {revision[:200]!r}.")


def _ref(connection: Connection, found: Repository, name: str) -> str | None:
    for prefix in _HEADS:
        name = name.removeprefix(prefix)
    by_branch = repository.find_ref(connection, found.id, BRANCH, name)
    return by_branch or repository.find_ref(connection, found.id, TAG, name) or _aliased(connection, found, name)


def _aliased(connection: Connection, found: Repository, name: str) -> str | None:
    """The commit of the version that an alias of a model points to."""
    if found.kind != MODELS or not _ALIAS.fullmatch(name):
        return None
    version = models_repository.find_version(connection, found.name, name)
    return repository.find_ref(connection, found.id, TAG, version_tag(version.version)) if version else None


def _place(connection: Connection, found: Repository, sha: str, path: str) -> Place:
    commit = history_repository.find_commit(connection, found.id, sha)
    if commit is None:
        raise no_revision(found, sha)
    return Place(found, commit, path.strip("/"))
