"""Names of repositories, revisions and paths, as addresses carry them."""

from __future__ import annotations

import re

from kargah.domain.errors import FieldError, Invalid
from kargah.domain.file_paths import problem_with_path
from kargah.domain.names import can_name_model, is_name
from registry.hub.errors import NotSupported, RepoNotFound
from registry.repos.values import DATASETS, MODELS

USER = "kargah"
"""Whose the repositories are that are made without an owner, where nobody logs in."""
_KINDS = {"model": MODELS, "models": MODELS, "dataset": DATASETS, "datasets": DATASETS}
_OWNERS = frozenset({"api", "buckets", "collections", "datasets", "kernels", "models", "papers", "spaces", "xet"})
_WORDS = frozenset(
    {"branch", "commit", "commits", "files", "location", "paths-info", "preupload", "raw", "refs", "resolve"}
    | {"revision", "settings", "tag", "tree", "versions", "xet-read-token", "xet-write-token"}
)
_LONGEST_NAME = 96
_LONGEST_REF = 200
_BAD_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)|^[./-]|[./]$")
_SHA = re.compile(r"[0-9a-f]{40}")
_VERSION_TAG = re.compile(r"v[0-9]+")


def kind_of(text: str | None) -> str:
    """`models` or `datasets`; clients that name no kind mean models. Raises NotSupported for spaces and the like."""
    kind = _KINDS.get(text or "model")
    if kind is None:
        raise NotSupported(
            f"Repositories of the kind {str(text)[:40]!r} are not kept here.", hint="Models and datasets are."
        )
    return kind


def check_id(kind: str, name: str) -> None:
    """Raises RepoNotFound for what can be no repository's name."""
    if not is_name(name):
        raise no_repository(kind, name)


def check_new_name(name: str) -> None:
    """Raises Invalid unless a new repository may be called so, and clients can address it."""
    owner, _, last = name.rpartition("/")
    if not is_name(name) or len(name) > _LONGEST_NAME or "--" in name or name.endswith((".git", ".", "-")):
        raise _bad_name("A repository is called `owner/name`, of letters, digits, dots, dashes and underscores.")
    if (
        not can_name_model(name)
        or owner.lower() in _OWNERS
        or last in _WORDS
        or (not owner and last.lower() in _OWNERS)
    ):
        raise _bad_name(f"The name {name!r} would be taken for an address of the Hub itself.")


def check_ref(name: str, *, kind: str, tag: bool) -> None:
    """Raises Invalid unless a branch or a tag may be called so."""
    if not name or len(name) > _LONGEST_REF or _BAD_REF.search(name) or _SHA.fullmatch(name):
        raise Invalid(
            f"{name[:100]!r} is no name for a branch or a tag.",
            errors=[FieldError("ref", "As git has them.", "bad_ref")],
        )
    if tag and kind == MODELS and _VERSION_TAG.fullmatch(name):
        message = f"Tags like {name!r} are those of Kargah's own versions."
        raise Invalid(
            message, hint="Take another name: `release-1`, `v1.0`.", errors=[FieldError("tag", message, "reserved_tag")]
        )


def check_path(path: str) -> None:
    """Raises Invalid unless `path` may name a file or a folder inside a repository."""
    if (problem := problem_with_path(path)) is not None:
        raise Invalid(
            "The path is not acceptable.", errors=[FieldError("path", f"{path[:200]!r} {problem}.", "bad_path")]
        )


def no_repository(kind: str, name: str) -> RepoNotFound:
    """The error for a repository that is not there."""
    return RepoNotFound(f"There is no repository {name[:200]!r} among the {kind}.")


def _bad_name(message: str) -> Invalid:
    return Invalid("The name is not acceptable.", errors=[FieldError("name", message, "bad_name")])
