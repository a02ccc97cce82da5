"""What the Hub's rooms hand to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

MODELS = "models"
DATASETS = "datasets"
MAIN = "main"
MAX_FILES = 10_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a commit. `git_sha1` is None for an LFS file, which is known by the sha256 of its content.

    `sha256` is empty for a mirrored file with a `git_sha1` that was not fetched yet.
    """

    sha256: str
    size_bytes: int
    git_sha1: str | None = None

    @property
    def etag(self) -> str:
        """By what clients know the content."""
        return self.git_sha1 or self.sha256


Tree = Mapping[str, Entry]
"""The files of a commit by path."""


def without_card(files: Mapping[str, str]) -> dict[str, str]:
    """Of files (path and sha256) those that make a model: a better README makes no new one."""
    return {path: sha256 for path, sha256 in files.items() if not path.endswith((".md", ".gitattributes"))}


@dataclass(frozen=True, slots=True)
class Repository:
    """`kind` is `models` or `datasets`; `name` is `owner/name`, or `name` for a model that Kargah made.

    `mirrored_from`: the hub that it is read from, where it is not this registry's own.
    """

    id: str
    kind: str
    name: str
    private: bool
    created_at: datetime
    mirrored_from: str | None = None

    @property
    def path(self) -> str:
        """Where its page is below the endpoint: datasets have a prefix there, models have none."""
        return self.name if self.kind == MODELS else f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class Commit:
    """A state of a repository. `sha` is the hash that git itself would give it (an LFS file counts as its pointer)."""

    sha: str
    parent: str | None
    title: str
    description: str
    author: str
    created_at: datetime
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ref:
    """A branch or a tag: `kind` says which."""

    kind: str
    name: str
    sha: str


@dataclass(frozen=True, slots=True)
class Head:
    """A repository and its commit of `main`, as lists show them."""

    repository: Repository
    commit: Commit
