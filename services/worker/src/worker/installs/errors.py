"""Why an install failed, in the words that the job will show."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class InstallFailed(Exception):
    """`code` is stable; `permanent` ones would fail again, the others (a network that is down) may pass."""

    code: str
    message: str
    hint: str | None = None
    permanent: bool = True

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message} ({self.hint})"
