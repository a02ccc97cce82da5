"""Versions of an uploaded dataset as commits of a repository."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from kargah.contracts.datasets import DatasetVersionView, DatasetView
from kargah.domain.names import LATEST
from registry.hub.names import USER
from registry.repos.card import describe
from registry.repos.history import AUTHOR
from registry.repos.objects import blob_sha1
from registry.repos.values import DATASETS, MAIN, Commit, Entry, Repository, Tree
from registry.uploaded.card import front_of, readme_of
from registry.uploaded.files import README, data_files

_NUMBER_DIGITS = 7
_NUMBER = re.compile(r"v?([1-9][0-9]{0,8})")
_SHA = re.compile(r"[0-9a-f]{7,40}")
_NEWEST = frozenset({MAIN, LATEST, "HEAD"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a revision names: a version by its number (the latest without one), and how its commit's sha begins."""

    number: int | None
    sha: str = ""


def wanted(revision: str) -> Wanted | None:
    """`main`, `latest`, `2`, `v2`, or a sha of seven digits or more; None for what can be no revision."""
    if revision in _NEWEST:
        return Wanted(None)
    if (match := _NUMBER.fullmatch(revision)) is not None:
        return Wanted(int(match[1]))
    if _SHA.fullmatch(revision) and (number := int(revision[:_NUMBER_DIGITS], 16)) > 0:
        return Wanted(number, revision)
    return None


def sha_of(version: DatasetVersionView) -> str:
    """The commit of a version: the same for ever, and no other version's. It begins with the number, by which a version
    is found; the rest is a hash of what makes it the version that it is, not of its card, which releases may reword."""
    splits = version.splits.sha256 if version.splits is not None else ""
    told = hashlib.sha256(f"kargah dataset\n{version.id}\n{version.sha256}\n{splits}\n".encode()).hexdigest()
    return f"{version.version:0{_NUMBER_DIGITS}x}{told}"[:40]


def shown_name(name: str) -> str:
    """What a dataset is called as a repository: `load_dataset` takes no name without an owner."""
    return name if "/" in name else f"{USER}/{name}"


def names_of(shown: str) -> list[str]:
    """The datasets that a repository of that name may be, the likeliest first; a bare name is understood, too."""
    return [shown, shown.removeprefix(f"{USER}/")] if shown.startswith(f"{USER}/") else [shown]


def repository_of(found: DatasetView) -> Repository:
    """The dataset itself."""
    return Repository(found.id, DATASETS, shown_name(found.name), False, found.created_at)


def commit_of(version: DatasetVersionView) -> Commit:
    """The version; it has no parent, so that others may be deleted."""
    title, origin = f"Version {version.version}", version.source_filename
    meta = describe((README,), front_of(version), {}, False)
    return Commit(sha_of(version), None, title, origin, AUTHOR, version.created_at, meta)


def tree_of(version: DatasetVersionView) -> Tree:
    """The card, and the rows of each split as LFS files."""
    card = readme_of(version)
    entry = Entry(hashlib.sha256(card).hexdigest(), len(card), blob_sha1(card))
    return {README: entry, **data_files(version)}
