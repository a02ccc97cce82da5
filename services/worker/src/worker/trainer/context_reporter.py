"""Progress of work that is done in stages and has nothing to keep half-way."""

from __future__ import annotations

from kargah.contracts.runs import ProgressMessage
from worker.trainer.context import RunContext
from worker.trainer.errors import Interruption


class ContextReporter:
    """Passes progress on, and ends the work when the agent asks for its end; a stop is not obeyed, for half of the work
    is nothing."""

    def __init__(self, context: RunContext) -> None:
        self._context = context

    def progress(self, percent: float, note: str, eta_seconds: float | None = None) -> None:
        """Raises Interruption."""
        ending = self._context.ending()
        if ending == "pause" or ending == "drain":
            raise Interruption(ending)
        self._context.progress(ProgressMessage(percent=round(percent, 1), note=note, eta_seconds=eta_seconds))

    def log(self, message: str) -> None:
        self._context.log(message)
