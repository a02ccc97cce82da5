"""What an install, an import or a push tells while it works."""

from __future__ import annotations

from typing import Protocol


class Reporter(Protocol):
    """Told how far it is; any call may raise to end it, and a later run goes on from what lies on disk."""

    def progress(self, percent: float, note: str, eta_seconds: float | None = None) -> None: ...

    def log(self, message: str) -> None: ...
