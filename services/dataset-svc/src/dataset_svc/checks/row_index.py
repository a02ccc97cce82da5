"""Where rows begin, sparsely, so that a page far into a large version needs no reading from its start."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

_SPACING = 256 << 10
_MOST = 4096


@dataclass(slots=True)
class RowIndex:
    """`rows[i]` begins at byte `offsets[i]` of the stored rows; entries are about `spacing` bytes apart.

    When there are too many, every second one goes and the spacing doubles: the index stays small at any size.
    """

    rows: list[int] = field(default_factory=lambda: [0])
    offsets: list[int] = field(default_factory=lambda: [0])
    spacing: int = _SPACING

    def add(self, row: int, offset: int) -> None:
        """Row `row` begins at `offset`; call in order, for every row."""
        if offset - self.offsets[-1] < self.spacing:
            return
        self.rows.append(row)
        self.offsets.append(offset)
        if len(self.rows) > _MOST:
            self.rows, self.offsets, self.spacing = self.rows[::2], self.offsets[::2], self.spacing * 2

    def add_all(self, row: int, offset: int, sizes: npt.NDArray[np.int64]) -> None:
        """As `add` for rows of these `sizes`, the first of them row `row` at `offset`."""
        starts = offset + np.cumsum(sizes) - sizes
        place = 0
        while (place := max(place, int(starts.searchsorted(self.offsets[-1] + self.spacing)))) < len(starts):
            self.add(row + place, int(starts[place]))
            place += 1

    def nearest(self, row: int) -> tuple[int, int]:
        """The last entry not behind `row`: its row number and byte offset."""
        place = bisect_right(self.rows, row) - 1
        return self.rows[place], self.offsets[place]
