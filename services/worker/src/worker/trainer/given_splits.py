"""Splits that the dataset version brings along, in place of the trainer's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kargah.domain.splits import TEST, TRAIN, VALIDATION
from worker.trainer.errors import TrainingError
from worker.trainer.rows import IntArray, RowFile, Split


class GivenSplits:
    """`path` holds a byte for each row: its split's place in `names`. Raises TrainingError when it does not."""

    def __init__(self, rows: RowFile, path: Path, names: Sequence[str]) -> None:
        places = np.fromfile(path, dtype=np.uint8)
        if len(places) != len(rows) or (len(places) and int(places.max()) >= len(names)):
            raise TrainingError(
                "bad_splits",
                f"The dataset's splits are for {len(places)} rows in {len(names)} parts, and it has {len(rows)} rows.",
                "Upload the dataset again.",
            )
        self._rows = {name: np.flatnonzero(places == place).astype(np.int64) for place, name in enumerate(names)}

    def of(self, name: str) -> IntArray:
        """The rows of a split, ascending; none where there is no such split."""
        return self._rows.get(name, np.zeros(0, dtype=np.int64))

    def for_training(self) -> Split:
        """Held out is what is meant for it, or else the test; rows of neither are not seen at all."""
        validation = self.of(VALIDATION)
        return Split(self.of(TRAIN), validation if len(validation) else self.of(TEST))

    def for_measuring(self, everything: Split) -> Split:
        """The test, or else what was held out, or else `everything`."""
        for name in (TEST, VALIDATION):
            if len(self.of(name)):
                return Split(everything.train, self.of(name))
        return everything

    def told(self) -> str:
        """How many rows each has, for the log."""
        return ", ".join(f"{name} {len(rows):,}" for name, rows in self._rows.items())
