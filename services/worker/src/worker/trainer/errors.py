"""Why a run ends before its time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass
class TrainingError(Exception):
    """What the job's page will say. `code` is stable; a `permanent` error would happen again, so it is not retried."""

    code: str
    message: str
    hint: str | None = None
    permanent: bool = True

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message} ({self.hint})"


@dataclass
class Interruption(Exception):
    """Raised between pieces of work when a pause or a drain has been asked for; the step under way is given up."""

    action: Literal["pause", "drain"]


class AgentGone(Exception):
    """The other end of the pipes has closed: nobody would keep what this run makes."""
