"""Where rows begin, sparsely, so that a page far into a large version needs no reading from its start."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

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

    def nearest(self, row: int) -> tuple[int, int]:
        """The last entry not behind `row`: its row number and byte offset."""
        place = bisect_right(self.rows, row) - 1
        return self.rows[place], self.offsets[place]
