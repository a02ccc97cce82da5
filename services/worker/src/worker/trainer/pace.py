"""How long the rest will take."""

from __future__ import annotations

from dataclasses import dataclass

_WEIGHT = 0.1


@dataclass
class Pace:
    """Smoothed seconds per step, apart from those per evaluation, as the two come at different rates."""

    step_seconds: float | None = None
    evaluation_seconds: float = 0.0

    def stepped(self, seconds: float) -> None:
        if self.step_seconds is None:
            self.step_seconds = seconds
        self.step_seconds += _WEIGHT * (seconds - self.step_seconds)

    def evaluated(self, seconds: float) -> None:
        self.evaluation_seconds = seconds

    def remaining(self, steps: int, evaluations: int) -> float | None:
        """Seconds; None before the first step has been timed."""
        if self.step_seconds is None:
            return None
        return steps * self.step_seconds + evaluations * self.evaluation_seconds
