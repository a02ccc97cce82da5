"""Statistics of a version, counted row by row in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dataset_svc.checks.scripts import ScriptCount
from kargah.contracts.datasets import DatasetStats
from kargah.formats.base import Chat, Example, LabelledText

if TYPE_CHECKING:
    from dataset_svc.checks.quick.look import Look

MAX_FIELDS = 1000
MAX_LABELS = 1000
LONGEST_NAME = 200
_BATCH = 1024


def most_first(counts: Mapping[str, int]) -> dict[str, int]:
    """By count, then by name."""
    return dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))


class _Lengths:
    """Number, least, mean and greatest of lengths; collected in `batch` and summed up now and then."""

    __slots__ = ("batch", "empty", "greatest", "least", "number", "total")

    def __init__(self) -> None:
        self.batch: list[int] = []
        self.number = self.total = self.greatest = self.empty = 0
        self.least: int | None = None

    def fold(self) -> None:
        """Sum up the batch."""
        if self.batch:
            least = min(self.batch)
            self.least = least if self.least is None else min(least, self.least)
            self.greatest = max(self.greatest, *self.batch)
            self.number += len(self.batch)
            self.total += sum(self.batch)
            self.empty += self.batch.count(0)
            self.batch.clear()

    def add_all(self, lengths: npt.NDArray[np.int64]) -> None:
        """All of these at once; there is at least one."""
        least = int(lengths.min())
        self.least = least if self.least is None else min(least, self.least)
        self.greatest = max(self.greatest, int(lengths.max()))
        self.number += len(lengths)
        self.total += int(lengths.sum())
        self.empty += int(np.count_nonzero(lengths == 0))

    def summary(self, what: str) -> dict[str, float]:
        """As the contract names them; nothing where nothing was measured."""
        if self.least is None:
            return {}
        mean = round(self.total / self.number, 2)
        return {f"min{what}": self.least, f"mean{what}": mean, f"max{what}": self.greatest}


class _Field:
    """One column: lengths of its texts in characters, of its lists in items, and how many cells were neither."""

    __slots__ = ("add_text", "items", "nulls", "others", "texts")

    def __init__(self) -> None:
        self.texts = _Lengths()
        self.items = _Lengths()
        self.others = self.nulls = 0
        self.add_text = self.texts.batch.append

    def add(self, value: Any) -> None:
        """Count a cell that is no text."""
        if isinstance(value, list):
            self.items.batch.append(len(value))
        else:
            self.others += 1
            self.nulls += value is None

    def fold(self) -> None:
        """Sum up what was collected."""
        self.texts.fold()
        self.items.fold()

    def summary(self) -> dict[str, float]:
        """As the contract names them."""
        self.fold()
        count = self.texts.number + self.items.number + self.others
        empty = self.texts.empty + self.items.empty + self.nulls
        return {"count": count, "empty": empty, **self.texts.summary("Length"), **self.items.summary("Items")}


class Statistics:
    """Add every good row and its example; `too_many_fields` and `too_many_labels` tell that a bound was met."""

    def __init__(self) -> None:
        self.rows = self.size_bytes = self.trained = 0
        self.labels: dict[str, int] = {}
        self.too_many_fields = self.too_many_labels = False
        self._fields: dict[str, _Field] = {}
        self._row_bytes = _Lengths()
        self._scripts = ScriptCount()

    def add(self, row: dict[str, Any], size: int) -> None:
        """Count one row of `size` bytes as stored."""
        self.rows += 1
        self.size_bytes += size
        self._row_bytes.batch.append(size)
        self._scripts.add(row)
        fields = self._fields
        for name, value in row.items():
            field = fields.get(name) or self._new_field(name)
            if field is None:
                continue
            if isinstance(value, str):
                field.add_text(len(value))
            else:
                field.add(value)
        if not self.rows % _BATCH:
            self._row_bytes.fold()
            for field in fields.values():
                field.fold()

    def can_add_all(self, look: Look) -> bool:
        """Whether the block brings nothing that must be met row by row: a new column, too many labels, the first row
        from which there is something to learn."""
        names = (*look.texts, *look.items, *look.others)
        labels = self.labels.keys() | {label[:LONGEST_NAME] for label in look.labels}
        return bool(self.trained) and all(name in self._fields for name in names) and len(labels) <= MAX_LABELS

    def add_all(self, look: Look) -> None:
        """Count the rows of a block for which `can_add_all` is true."""
        self.rows += len(look.sizes)
        self.size_bytes += int(look.sizes.sum())
        self._row_bytes.fold()
        self._row_bytes.add_all(look.sizes)
        self._scripts.add_all(len(look.sizes), look.scripts)
        for name, lengths in look.texts.items():
            self._fields[name].texts.add_all(lengths)
        for name, lengths in look.items.items():
            self._fields[name].items.add_all(lengths)
        for name in look.others:
            self._fields[name].others += len(look.sizes)
        for field in self._fields.values():
            field.fold()
        for label, count in look.labels.items():
            self.trained += count
            self.labels[label[:LONGEST_NAME]] = self.labels.get(label[:LONGEST_NAME], 0) + count

    def add_example(self, example: Example) -> None:
        """Count the label, and whether there is anything to learn."""
        if isinstance(example, LabelledText):
            self._add_label(example.label[:LONGEST_NAME])
        if not isinstance(example, Chat) or any(turn.train for turn in example.turns):
            self.trained += 1

    def view(self) -> DatasetStats:
        """The contract's view."""
        self._row_bytes.fold()
        return DatasetStats(
            rows=self.rows,
            size_bytes=self.size_bytes,
            fields=list(self._fields),
            field_stats={name: field.summary() for name, field in self._fields.items()},
            labels=most_first(self.labels),
            row_bytes=self._row_bytes.summary(""),
            scripts=most_first(self._scripts.counts),
        )

    def _new_field(self, name: str) -> _Field | None:
        name = name[:LONGEST_NAME]
        if name not in self._fields and len(self._fields) >= MAX_FIELDS:
            self.too_many_fields = True
            return None
        return self._fields.setdefault(name, _Field())

    def _add_label(self, label: str) -> None:
        if label in self.labels or len(self.labels) < MAX_LABELS:
            self.labels[label] = self.labels.get(label, 0) + 1
        else:
            self.too_many_labels = True
