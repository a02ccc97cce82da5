"""Lists of repositories: what they shall hold, and uploaded datasets among those that were pushed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from registry.repos.values import Head
from registry.uploaded.service import UploadedDatasets

Uploaded = Mapping[str, tuple[Head, Sequence[str]]]
"""Uploaded datasets by name, with the paths of their files."""


@dataclass(frozen=True, slots=True)
class ListFilter:
    """What a list shall hold, and in which order: `created` or `modified`."""

    search: str | None = None
    author: str | None = None
    tags: Sequence[str] = ()
    order: str = "created"
    full: bool = False


def uploaded_heads(uploaded: UploadedDatasets, wanted: ListFilter) -> Uploaded:
    """Those of the uploaded datasets that a list shall hold."""
    found = uploaded.heads(wanted.search, wanted.author)
    return {head.repository.name: (head, paths) for head, paths in found if _has_tags(head, wanted.tags)}


def merged(heads: Sequence[Head], uploaded: Uploaded, order: str) -> list[Head]:
    """Newest first. A mirrored repository makes way for an uploaded dataset of its name."""
    pushed = [head for head in heads if head.repository.name not in uploaded]
    return sorted(
        [*pushed, *(head for head, _ in uploaded.values())], key=lambda head: _moment(head, order), reverse=True
    )


def _has_tags(head: Head, tags: Sequence[str]) -> bool:
    return set(tags) <= set(head.commit.meta["tags"])


def _moment(head: Head, order: str) -> tuple[float, str]:
    moment = head.commit.created_at if order == "modified" else head.repository.created_at
    return moment.timestamp(), head.repository.id
