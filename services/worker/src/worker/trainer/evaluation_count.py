"""How far an evaluation is, for people who wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from kargah.contracts.runs import ProgressMessage

_LOG_SECONDS = 15.0


@dataclass
class EvaluationCount:
    """`done` of `total` items are measured (rows, or pieces of long ones) since `began`, monotonic seconds. A long
    evaluation is told by `log` too."""

    log: Callable[[str], None]
    total: int = 0
    done: int = 0
    began: float = field(default_factory=time.monotonic)
    _logged: float = 0.0

    def begin(self, total: int) -> None:
        """None of so many is measured yet."""
        self.total, self.done = total, 0
        self.began = self._logged = time.monotonic()

    def advance(self, done: int) -> None:
        """So many are measured now; after a pass that is done again they may be fewer than before."""
        self.done = done
        now = time.monotonic()
        if now - self._logged >= _LOG_SECONDS and done < self.total:
            self._logged = now
            self.log(f"Measured {done} of {self.total} rows")

    @property
    def seconds_left(self) -> float | None:
        """None before the first is measured."""
        return (time.monotonic() - self.began) / self.done * (self.total - self.done) if self.done else None

    def tell(self, progress: ProgressMessage) -> ProgressMessage:
        """The same with how far the evaluation is, where there is something to measure."""
        return progress.model_copy(update={"evaluated": self.done, "to_evaluate": self.total} if self.total else {})
