"""Who is told how far a backup or a restore is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Calls come from several threads."""

    def begin(self, what: str, count: int, size: int) -> None:
        """So many objects, and bytes, are to be done now."""
        ...

    def advance(self, size: int) -> None:
        """So many bytes more are done."""
        ...


class Silent:
    """Nobody looks."""

    def begin(self, what: str, count: int, size: int) -> None:
        return

    def advance(self, size: int) -> None:
        return
