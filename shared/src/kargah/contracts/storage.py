"""How much a project keeps, and how much it may."""

from __future__ import annotations

from pydantic import Field

from kargah.contracts.base import Wire, WireRequest


class StorageView(Wire):
    """Bytes of a project, each content once, and what it may have; null without a limit. `own_limit`: whether that is
    the project's own, not everybody's."""

    project: str
    used_bytes: int
    max_bytes: int | None
    own_limit: bool


class StorageLimit(WireRequest):
    """`null`: as much as everybody (`KARGAH_MAX_PROJECT_BYTES`); 0 lets the project add nothing."""

    max_bytes: int | None = Field(ge=0, le=1 << 60)
