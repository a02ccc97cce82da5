"""In which script a row is mainly written, by a rule that needs no model.

Characters of the Arabic script (its digits and punctuation with them), Latin letters and letters of other scripts are
counted in the first 1,000 characters of a row's texts. A row belongs to a script that has seven tenths of them, else it
is mixed. Arabic script is Persian, unless letters that only its other languages have are frequent (2 %: ے ہ ٹ of Urdu,
ە ۆ of Kurdish, ښ of Pashto), or it has none of پ چ ژ گ and more of the Arabic ي ك ة ى أ إ than of ی ک.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

READ = 1000
"""Characters of a row that are looked at."""
_ALL_ROWS = 10_000
_EVERY = 10
MAINLY = 0.7
FOREIGN_SHARE = 0.02
ARABIC_SCRIPT = bytes(range(0xD8, 0xDC))
LATIN_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" + bytes(range(0xC3, 0xCA))
# First bytes of letters alone: 0xE2 begins punctuation and signs, 0xF0 emoji.
OTHER_LETTERS = bytes([*range(0xCA, 0xD8), 0xE0, 0xE1, *range(0xE3, 0xEE)])
FOREIGN, PERSIAN_ALONE, ARABIC_ALONE = "ےہںٹڈڑەۆێڵښځټډړ", "پچژگ", "يكةىأإ"
_FOREIGN, _PERSIAN_ALONE, _ARABIC_ALONE = (re.compile(f"[{some}]") for some in (FOREIGN, PERSIAN_ALONE, ARABIC_ALONE))
NOT_PROSE = frozenset({"role", "from", "type", "weight", "split"})
PERSIAN, OTHER_ARABIC, LATIN, OTHER, MIXED, NONE = "persian", "arabic_script", "latin", "other", "mixed", "none"


class ScriptCount:
    """Counts the first 10,000 rows by script, and each tenth after them: the shares need no more."""

    __slots__ = ("counts", "rows")

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.rows = 0
        """How many there were, counted by script or not."""

    def add(self, row: Mapping[str, Any]) -> None:
        self.rows += 1
        if is_counted(self.rows):
            self.counts[script_of_row(row)] += 1

    def add_all(self, rows: int, counts: Mapping[str, int]) -> None:
        """So many rows at once, and what those of them that are counted are."""
        self.rows += rows
        self.counts.update(counts)


def is_counted(number: int) -> bool:
    """Whether the row of that number (1 for the first) is counted by script."""
    return number <= _ALL_ROWS or not number % _EVERY


def counted(before: int, rows: int) -> npt.NDArray[np.int64]:
    """The places of those of so many rows that are counted by script; `before` stand before them."""
    numbers = np.arange(before + 1, before + rows + 1)
    return np.flatnonzero((numbers <= _ALL_ROWS) | (numbers % _EVERY == 0))


def script_of_row(row: Mapping[str, Any]) -> str:
    """One of persian, arabic_script, latin, other, mixed; none where there are no letters."""
    return script_of("".join(_texts(row)))


def script_of(text: str) -> str:
    """As `script_of_row`, of the text's first 1,000 characters."""
    text = text[:READ]
    data = text.encode("utf-8", "replace")
    size = len(data)
    arabic = size - len(data.translate(None, ARABIC_SCRIPT))
    latin = size - len(data.translate(None, LATIN_LETTERS))
    other = size - len(data.translate(None, OTHER_LETTERS))
    enough = MAINLY * (arabic + latin + other)
    if not enough:
        return NONE
    if arabic >= enough:
        return PERSIAN if _is_persian(text, arabic) else OTHER_ARABIC
    if latin >= enough:
        return LATIN
    return OTHER if other >= enough else MIXED


def _is_persian(text: str, letters: int) -> bool:
    if len(_FOREIGN.findall(text)) >= FOREIGN_SHARE * letters:
        return False
    if _PERSIAN_ALONE.search(text):
        return True
    return text.count("ی") + text.count("ک") >= len(_ARABIC_ALONE.findall(text))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value[:READ]
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name not in NOT_PROSE:
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
