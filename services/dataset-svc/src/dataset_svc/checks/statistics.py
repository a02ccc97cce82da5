"""Statistics of a version, counted row by row in bounded memory."""

from __future__ import annotations

from typing import Any

from kargah.contracts.datasets import DatasetStats
from kargah.formats.base import Chat, Example, LabelledText

MAX_FIELDS = 1000
MAX_LABELS = 1000
LONGEST_NAME = 200


class _Field:
    """One column: how often it stands, how often empty, and the lengths of its texts and lists."""

    __slots__ = ("count", "empty", "items", "texts")

    def __init__(self) -> None:
        self.count = self.empty = 0
        self.texts = [0, 0, 0, 0]
        self.items = [0, 0, 0, 0]

    def add(self, value: Any) -> None:
        self.count += 1
        if value is None or value == "" or value == []:
            self.empty += 1
        if isinstance(value, str):
            _measure(self.texts, len(value))
        elif isinstance(value, list):
            _measure(self.items, len(value))

    def summary(self) -> dict[str, float]:
        told: dict[str, float] = {"count": self.count, "empty": self.empty}
        return told | _told(self.texts, "Length") | _told(self.items, "Items")


def _measure(measured: list[int], length: int) -> None:
    number, total, low, high = measured
    measured[:] = number + 1, total + length, length if not number or length < low else low, max(high, length)


def _told(measured: list[int], what: str) -> dict[str, float]:
    number, total, low, high = measured
    if not number:
        return {}
    return {f"min{what}": low, f"mean{what}": round(total / number, 2), f"max{what}": high}


class Statistics:
    """Add every good row and its example; `too_many_fields` and `too_many_labels` tell that a bound was met."""

    def __init__(self) -> None:
        self.rows = self.size_bytes = self.trained = 0
        self.labels: dict[str, int] = {}
        self.too_many_fields = self.too_many_labels = False
        self._fields: dict[str, _Field] = {}

    def add(self, row: dict[str, Any], size: int) -> None:
        """Count one row of `size` bytes as stored."""
        self.rows += 1
        self.size_bytes += size
        fields = self._fields
        for name, value in row.items():
            field = fields.get(name) or self._new_field(name)
            if field is not None:
                field.add(value)

    def add_example(self, example: Example) -> None:
        """Count the label, and whether there is anything to learn."""
        if isinstance(example, LabelledText):
            self._add_label(example.label[:LONGEST_NAME])
        if not isinstance(example, Chat) or any(turn.train for turn in example.turns):
            self.trained += 1

    def view(self) -> DatasetStats:
        """The contract's view."""
        return DatasetStats(
            rows=self.rows,
            size_bytes=self.size_bytes,
            fields=list(self._fields),
            field_stats={name: field.summary() for name, field in self._fields.items()},
            labels=dict(sorted(self.labels.items(), key=lambda entry: (-entry[1], entry[0]))),
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
