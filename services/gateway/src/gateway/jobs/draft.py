"""A job that has been checked and is not queued yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kargah.contracts.base import WireRequest
from kargah.contracts.jobs import JobConfig


@dataclass(frozen=True, slots=True)
class Draft:
    """`name` is what lists show."""

    name: str
    config: JobConfig


def as_submitted(create: WireRequest) -> dict[str, Any]:
    """What the client sent, for the record; priority and owner are the job's own."""
    return create.model_dump(mode="json", by_alias=True, exclude={"priority", "owner"}, exclude_none=True)
