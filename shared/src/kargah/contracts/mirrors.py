"""Mirrored repositories on the wire."""

from __future__ import annotations

from pydantic import Field

from kargah.contracts.base import Timestamp, Wire


class MirrorView(Wire):
    """A repository of another hub. `files` and `size_bytes` of all its commits that are known here; `kept_files` and
    `kept_bytes` of those whose content is here. `checked_at`: when `mirrored_from` last told of a branch or a tag."""

    kind: str
    id: str
    mirrored_from: str
    commits: int = Field(ge=0)
    files: int = Field(ge=0)
    size_bytes: int = Field(ge=0)
    kept_files: int = Field(ge=0)
    kept_bytes: int = Field(ge=0)
    checked_at: Timestamp | None = None


class MirrorList(Wire):
    """`GET /api/hub/mirrors`: models first, by name."""

    items: list[MirrorView]
