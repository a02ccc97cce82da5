"""What stands in two splits: a model is then measured on what it has learnt."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from itertools import combinations

import numpy as np

from dataset_svc.checks.arrays import Flags
from dataset_svc.checks.digests import DigestSet
from dataset_svc.checks.findings import PLACES
from kargah.contracts.datasets import RowPlace, RowWarning
from kargah.domain.splits import SPLITS, TRAIN
from kargah.formats.folding import folded
from kargah.formats.persian import CONTROL, HALF_SPACE

REMEMBERED = 2_000_000
LEAKS = ("leaked_rows", "leaked_questions")
_ORDER = tuple(reversed(SPLITS))  # a held-out split is told first, and the one that it has met second


class Leakage:
    """Remembers the first two million rows: 24 bytes for each."""

    def __init__(self) -> None:
        self._numbers = {name: array("Q") for name in SPLITS}
        self._rows = {name: array("Q") for name in SPLITS}
        self._asked = {name: array("Q") for name in SPLITS}
        self._left = REMEMBERED

    def add(self, number: int, split: str, line: bytes, asked: str) -> None:
        """Row `number`, counted from 1, stored as `line`; `asked` is what the model is given in it."""
        if self._left:
            self._left -= 1
            self._numbers[split].append(number)
            self._rows[split].append(_digest(line))
            self._asked[split].append(_digest(_plain(asked) or line))

    def view(self) -> list[RowWarning]:
        """A warning for each pair of splits with the same rows, and for each with the same questions beside these."""
        return [problem for pair in combinations(_ORDER, 2) for problem in self._pair(*pair)]

    def _pair(self, held: str, other: str) -> Iterator[RowWarning]:
        rows = self._common(self._rows, held, other)
        questions = self._common(self._asked, held, other) & ~rows
        numbers = np.array(self._numbers[held], np.int64)
        for code, what, found in zip(LEAKS, ("stands", "asks what stands"), (rows, questions), strict=True):
            if count := int(np.count_nonzero(found)):
                more = f" ({count:,} in all)" if count > 1 else ""
                message = f"a row of {held} {what} in {other} as well{more}: it measures what was learnt by heart"
                lines = np.sort(numbers[found])[:PLACES].tolist()
                places = [RowPlace(line=line, byte_offset=None, field=None) for line in lines]
                first = places[0].model_dump()
                told = {"code": code, "message": message, "count": count, "places": places}
                yield RowWarning(**first, **told, repair="leakage")

    def _common(self, digests: dict[str, array[int]], held: str, other: str) -> Flags:
        """Which rows of `held` have a digest that `other` has too. Sets of so many numbers would take 100 MB."""
        wanted, known = (np.array(digests[split], np.uint64) for split in (held, other))
        known.sort()
        places = known.searchsorted(wanted)
        found: Flags = places < len(known)
        found[found] = known[places[found]] == wanted[found]
        return found


class HeldOut:
    """What the held-out splits ask, to tell the rows that give it away. `learn` those of a version first: the first two
    million count, 16 bytes each."""

    def __init__(self) -> None:
        self._asked = {split: DigestSet(REMEMBERED) for split in SPLITS if split != TRAIN}

    def learn(self, split: str, line: bytes, asked: str) -> None:
        """A row of that split."""
        if split in self._asked:
            self._asked[split].add(_digest(_plain(asked) or line) or 1)

    def gives_away(self, split: str, line: bytes, asked: str) -> bool:
        """Whether a row of `split` stands, or asks what stands, in a split that is held out more strictly."""
        digest = _digest(_plain(asked) or line) or 1
        stricter = SPLITS[SPLITS.index(split) + 1 :]
        return any(digest in self._asked[other] for other in stricter)


def _plain(asked: str) -> str:
    """However it is typed."""
    return " ".join(CONTROL.sub("", folded(asked)).replace(HALF_SPACE, "").split())


def _digest(value: str | bytes) -> int:
    """64 bits; good within one process."""
    return hash(value) & 0xFFFF_FFFF_FFFF_FFFF
