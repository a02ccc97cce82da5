"""Edits of a text: places, what stands there instead, and why."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

Span = tuple[int, int]


class Edit(NamedTuple):
    """`text[start:end]` becomes `new`; `code` names the fault."""

    start: int
    end: int
    new: str
    code: str


Edits = Callable[[str], Iterator[Edit]]
"""Finds the edits of a text, in order and apart from each other."""


def apply(text: str, edits: Sequence[Edit]) -> str:
    """The text with all the edits made; they are in order and do not overlap."""
    pieces: list[str] = []
    position = 0
    for edit in edits:
        pieces += (text[position : edit.start], edit.new)
        position = edit.end
    return "".join([*pieces, text[position:]])


class Spans:
    """Places in a text, for asking quickly whether another place touches one of them."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(spans):
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(end, self._ends[-1])
            else:
                self._starts.append(start)
                self._ends.append(end)

    def touch(self, start: int, end: int) -> bool:
        """Whether any character of `start` .. `end` lies in one of them."""
        place = bisect_right(self._ends, start)
        return place < len(self._starts) and self._starts[place] < end

    def outside(self, edits: Iterable[Edit]) -> list[Edit]:
        """The edits that touch none of them."""
        return [edit for edit in edits if not self.touch(edit.start, edit.end)]
