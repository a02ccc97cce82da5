"""An upload in parts, as the room's parts hand it to each other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dataset_svc.datasets.uploads import Request


@dataclass(frozen=True, slots=True)
class NewUpload:
    """What the sender tells of a file before sending it; `modified` is whatever tells it from its later states."""

    id: str
    request: Request
    size_bytes: int
    part_bytes: int
    sha256: str | None
    modified: str | None
    object_key: str
    multipart_id: str


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload as recorded; sizes in bytes, `generation` counts who tried to check it."""

    id: str
    project: str
    request: Request
    size_bytes: int
    part_bytes: int
    sha256: str | None
    object_key: str
    multipart_id: str
    state: str
    checked_bytes: int
    generation: int
    version_id: str | None
    is_new: bool | None
    problem: dict[str, Any] | None
    created_at: datetime
    touched_at: datetime

    @property
    def part_count(self) -> int:
        """How many parts the file has."""
        return max(1, -(-self.size_bytes // self.part_bytes))

    def part_size(self, number: int) -> int:
        """Bytes of part `number`, counted from 1: all alike but the last."""
        return self.part_bytes if number < self.part_count else self.size_bytes - (number - 1) * self.part_bytes
