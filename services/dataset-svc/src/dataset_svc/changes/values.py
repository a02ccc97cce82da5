"""A change, as the room's parts hand it to each other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """A repair or a split as recorded; `working_seconds` since this try began, `generation` counts the tries."""

    id: str
    project: str
    dataset: str
    kind: str
    request: dict[str, Any]
    state: str
    total_bytes: int
    done_bytes: int
    generation: int
    version_id: str | None
    is_new: bool | None
    report: dict[str, Any] | None
    problem: dict[str, Any] | None
    created_at: datetime
    ended_at: datetime | None
    working_seconds: float | None
