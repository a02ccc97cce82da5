"""Rows to be dropped since a split that is held out more strictly has them, or asks the same."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from dataset_svc.splits.leakage import HeldOut
from kargah.contracts.datasets import VersionSplits
from kargah.formats.base import Format


class Leaks:
    """Of a version whose rows lie in `stored`, with the byte in `places` that tells each one's split. Goes through
    them once, before the first question."""

    def __init__(self, splits: VersionSplits, places: bytes, shape: Format, stored: Iterable[bytes]) -> None:
        self._names = splits.names
        self._places = places
        self._shape = shape
        self._held_out = HeldOut()
        for place, line in zip(places, stored, strict=True):
            self._held_out.learn(self._names[place], line.rstrip(b"\n"), self._asked(json.loads(line)))

    def gives_away(self, number: int, row: dict[str, Any], line: bytes) -> bool:
        """Whether row `number`, counted from 1, is to go; `row` and `line` as they are after other repairs."""
        return self._held_out.gives_away(self._names[self._places[number - 1]], line, self._asked(row))

    def _asked(self, row: dict[str, Any]) -> str:
        return self._shape.exchange(row).asked
