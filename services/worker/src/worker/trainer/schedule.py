"""The learning rate of a step: a function of its number, so there is no state to save."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Schedule:
    """Rises linearly from zero over `warmup` steps to `peak`, then falls to zero at `total`, or stays."""

    kind: Literal["linear", "cosine", "constant"]
    peak: float
    warmup: int
    total: int

    def at(self, step: int) -> float:
        """The rate of the step after `step` finished ones."""
        if step < self.warmup:
            return self.peak * (step + 1) / (self.warmup + 1)
        if self.kind == "constant":
            return self.peak
        done = (step - self.warmup) / max(1, self.total - self.warmup)
        if self.kind == "linear":
            return self.peak * (1 - done)
        return self.peak * 0.5 * (1 + math.cos(math.pi * done))
