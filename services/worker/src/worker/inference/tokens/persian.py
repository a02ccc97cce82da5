"""How many tokens Persian words cost: counted where they stand, in the very tokens that are trained."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kargah.contracts.tokens import PersianFigures
from worker.trainer.items import Traced

# Letters and marks of the Arabic script, without its digits and punctuation.
_LETTERS = (
    (0x620, 0x65F), (0x66E, 0x6D3), (0x6D5, 0x6D5), (0x6FA, 0x6FC), (0x6FF, 0x6FF), (0x750, 0x77F),
    (0xFB50, 0xFDFF), (0xFE70, 0xFEFC),
)  # fmt: skip
_HALF_SPACE = 0x200C


class PersianCount:
    """Add rows; `figures` sums up."""

    def __init__(self, unknown_id: int | None) -> None:
        self._unknown_id = unknown_id
        self.words = self.letters = self.tokens = self.unknown = 0

    def add(self, traced: Traced) -> None:
        """Count the words, and the tokens that stand for some letter of them. A half-space does not end a word."""
        letters, inside = _letters(traced.text)
        if not letters.any():
            return
        before = np.concatenate([[0], np.cumsum(letters)])
        places = np.array(traced.places, dtype=np.int64)
        persian = before[places[:, 1]] > before[places[:, 0]]
        self.letters += int(letters.sum())
        self.words += int((inside[1:] & ~inside[:-1]).sum() + inside[0])
        self.tokens += int(persian.sum())
        if self._unknown_id is not None:
            self.unknown += int((traced.whole.ids[persian] == self._unknown_id).sum())

    def figures(self) -> PersianFigures:
        return PersianFigures(
            words=self.words,
            letters=self.letters,
            tokens=self.tokens,
            tokens_per_word=_ratio(self.tokens, self.words),
            tokens_per_letter=_ratio(self.tokens, self.letters),
            unknown_rate=_ratio(self.unknown, self.tokens),
        )


def _letters(text: str) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Per character: whether it is a letter or mark, and whether it stands inside a word."""
    codes = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
    letters = np.zeros(len(codes), dtype=np.bool_)
    for first, last in _LETTERS:
        letters |= (codes >= first) & (codes <= last)
    joined = np.concatenate([[False], letters[:-1]]) & (codes == _HALF_SPACE)
    return letters, letters | joined


def _ratio(number: int, of: int) -> float | None:
    return round(number / of, 4) if of else None
