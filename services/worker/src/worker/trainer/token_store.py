"""Items by number, encoded when first asked for, so that the first step does not wait for the last row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from kargah.formats.base import Format
from worker.trainer import token_cache
from worker.trainer.items import Encoder, Item
from worker.trainer.rows import IntArray, RowFile

_BATCH_ROWS = 256


class TokenStore:
    """The items of `rows` (row numbers, all that this run may use).

    Where every row is one item, rows are encoded in order of need and the cache is written once all have been;
    an encoder that splits rows needs all of them at once, and `beat` is called between batches.
    """

    def __init__(self, rows: RowFile, shape: Format, encoder: Encoder, cache: Path, beat: Callable[[], None]) -> None:
        self._rows = rows
        self._shape = shape
        self._encoder = encoder
        self._cache = cache
        self._items: list[Item | None] = []
        self._row_of: IntArray = np.arange(len(rows), dtype=np.int64)
        self._missing = 0
        self._open(beat)

    def _open(self, beat: Callable[[], None]) -> None:
        cached = token_cache.load(self._cache)
        if cached is not None:
            self._items, self._row_of = list(cached[0]), cached[1]
        elif self._encoder.splits:
            self._encode_everything(beat)
        else:
            self._items = [None] * len(self._rows)
            self._missing = len(self._rows)

    def items_of(self, rows: IntArray) -> IntArray:
        """The numbers of the items that these rows became, ascending."""
        return np.flatnonzero(np.isin(self._row_of, rows))

    def get(self, numbers: Sequence[int]) -> list[Item]:
        """The items, in this order."""
        absent = [number for number in dict.fromkeys(numbers) if self._items[number] is None]
        for begin in range(0, len(absent), _BATCH_ROWS):
            self._encode(absent[begin : begin + _BATCH_ROWS])
        return [item for number in numbers if (item := self._items[number]) is not None]

    def row(self, number: int) -> int:
        """Which row an item comes from."""
        return int(self._row_of[number])

    def _encode(self, numbers: Sequence[int]) -> None:
        examples = [self._rows.example(number, self._shape) for number in numbers]
        for number, (item,) in zip(numbers, self._encoder.encode(examples), strict=True):
            self._items[number] = item
        self._missing -= len(numbers)
        if self._missing == 0:
            self._keep()

    def _encode_everything(self, beat: Callable[[], None]) -> None:
        row_of: list[int] = []
        for begin in range(0, len(self._rows), _BATCH_ROWS):
            numbers = range(begin, min(begin + _BATCH_ROWS, len(self._rows)))
            examples = [self._rows.example(number, self._shape) for number in numbers]
            for number, items in zip(numbers, self._encoder.encode(examples), strict=True):
                self._items += items
                row_of += [number] * len(items)
            beat()
        self._row_of = np.array(row_of, dtype=np.int64)
        self._keep()

    def _keep(self) -> None:
        """A cache that cannot be written costs the next run its head start, and this one nothing."""
        items = [item for item in self._items if item is not None]
        try:
            token_cache.store(self._cache, items, self._row_of)
        except OSError:
            return
