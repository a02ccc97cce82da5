"""Which texts of a column say something."""

from __future__ import annotations

from functools import cache

import numpy as np

from dataset_svc.checks.arrays import Flags, Places
from dataset_svc.checks.near_empty import LONGEST_NOTHING, is_near_empty
from dataset_svc.checks.pieces import Pieces, begin_with

# Digits and letters of most texts: whatever has one of them is neither blank nor signs alone.
_LATIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_ARABIC = (*range(0x621, 0x63B), *range(0x641, 0x64B), 0x67E, 0x686, 0x698, 0x6A9, 0x6AF, 0x6CC, *range(0x6F0, 0x6FA))
_LONGEST_BYTES = 4 * LONGEST_NOTHING
_FIRST_OF_NOTHING = np.zeros(1 << 16, np.bool_)  # of the words for nothing that begin with a letter
for _letter in b"nNuU":
    _FIRST_OF_NOTHING[_letter << 8 : (_letter + 1) << 8] = True


def speaks(texts: Pieces) -> bool:
    """Whether each of them has more than white space."""
    return not any(map(_is_blank, texts.at(_unclear(texts)).each()))


def speaks_or_may_be_silent(texts: Pieces, silent: Flags) -> bool:
    """As `speaks`, but for those texts which may be silent."""
    places = _unclear(texts)
    return not any(map(_is_blank, texts.at(places[~silent[places]]).each()))


def near_empty(answers: Pieces) -> Flags:
    """Which of them `is_near_empty`."""
    suspect = begin_with(answers, _FIRST_OF_NOTHING) & (answers.sizes <= _LONGEST_BYTES)
    suspect[_unclear(answers)] = True
    found = np.zeros(len(answers), np.bool_)
    places = np.flatnonzero(suspect)
    for place, text in zip(places.tolist(), answers.at(places).each(), strict=True):
        found[place] = is_near_empty(text.decode())
    return found


def _is_blank(text: bytes) -> bool:
    return not text or text.decode().isspace()


def _unclear(texts: Pieces) -> Places:
    """Those that do not begin with a letter or digit: most do, so the others can be looked at one by one."""
    return np.flatnonzero(~begin_with(texts, _letters()))


@cache
def _letters() -> Flags:
    """Whether a text whose first two bytes are this number begins with a letter or digit."""
    table = np.zeros(1 << 16, np.bool_)
    for letter in _LATIN:
        table[letter << 8 : (letter + 1) << 8] = True
    for letter in _ARABIC:
        table[int.from_bytes(chr(letter).encode())] = True
    return table
