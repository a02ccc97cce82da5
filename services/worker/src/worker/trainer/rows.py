"""The dataset version's file: canonical JSONL, read in place, one row at a time."""

from __future__ import annotations

import hashlib
import json
import mmap
from array import array
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kargah.formats.base import Example, Format
from worker.trainer.errors import TrainingError

IntArray = npt.NDArray[np.int64]

_EMPTY = TrainingError("empty_dataset", "The dataset has no rows.", "Upload a dataset with at least one row.")


class RowFile:
    """Rows by number, counted from 0, blank lines left out. The file is mapped, not loaded; it must not be empty."""

    def __init__(self, path: Path) -> None:
        if not path.is_file() or path.stat().st_size == 0:
            raise _EMPTY
        with path.open("rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._starts, self._ends = _lines(self._bytes)
        if len(self._starts) == 0:
            raise _EMPTY

    def __len__(self) -> int:
        return len(self._starts)

    def line(self, row: int) -> bytes:
        return self._bytes[int(self._starts[row]) : int(self._ends[row])]

    def example(self, row: int, shape: Format) -> Example:
        """The normalised row; a row that does not fit its format is a permanent error, as the file is canonical."""
        try:
            return shape.to_example(json.loads(self.line(row)))
        except (ValueError, KeyError, TypeError) as error:
            raise TrainingError(
                "bad_row",
                f"Row {row + 1} of the dataset is not a {shape.name} row: {error}",
                "Upload the dataset again; the worker expects rows as the dataset service stores them.",
            ) from error

    def sha256(self) -> str:
        """Of the whole file, in hexadecimal."""
        return hashlib.sha256(self._bytes).hexdigest()

    def digest(self, row: int, seed: int) -> int:
        """64 bits that depend on the row's content and the seed alone."""
        key = seed.to_bytes(8, "big")
        return int.from_bytes(hashlib.blake2b(self.line(row), digest_size=8, key=key).digest(), "big")


def _lines(data: mmap.mmap) -> tuple[IntArray, IntArray]:
    starts, ends = array("q"), array("q")  # 8 bytes a row each, where lists would take 40
    begin, size = 0, len(data)
    while begin < size:
        found = data.find(b"\n", begin)
        end = size if found < 0 else found
        if end > begin and data[begin:end].strip():
            starts.append(begin)
            ends.append(end)
        begin = end + 1
    return np.array(starts, dtype=np.int64), np.array(ends, dtype=np.int64)


@dataclass(frozen=True)
class Split:
    """Row numbers, ascending; no row is on both sides, and equal rows are on the same side."""

    train: IntArray
    held_out: IntArray


def split_rows(rows: RowFile, fraction: float, seed: int) -> Split:
    """Keep about `fraction` of the rows out of training, by content: rows that are added later move no other row.

    With a fraction and at least two different rows, neither side is empty.
    """
    everything = np.arange(len(rows), dtype=np.int64)
    if fraction <= 0 or len(rows) < 2:
        return Split(everything, everything[:0])
    digests = np.fromiter((rows.digest(row, seed) for row in range(len(rows))), dtype=np.uint64, count=len(rows))
    held = digests < np.uint64(int(fraction * 2**64))
    if not held.any():
        held = digests == digests.min()
    if held.all():
        held = digests != digests.max()
    return Split(everything[~held], everything[held])


def all_held_out(rows: RowFile) -> Split:
    """Nothing to train on, everything to measure."""
    everything = np.arange(len(rows), dtype=np.int64)
    return Split(everything[:0], everything)
