"""A reporter of installs, imports and pushes that remembers."""

from __future__ import annotations

from worker.trainer.errors import Interruption


class Notes:
    """Remembers what it is told; raises Interruption at the `stop_at`-th progress."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.percents: list[float] = []
        self.lines: list[str] = []
        self._stop_at = stop_at

    def progress(self, percent: float, note: str, eta_seconds: float | None = None) -> None:
        assert 0 <= percent <= 100 and note
        self.percents.append(percent)
        if self._stop_at is not None and len(self.percents) >= self._stop_at:
            raise Interruption("pause")

    def log(self, message: str) -> None:
        assert message
        self.lines.append(message)
