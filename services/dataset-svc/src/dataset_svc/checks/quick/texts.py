"""Which texts of a column say something."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pyarrow.compute as pc

from dataset_svc.checks.digests import Flags
from dataset_svc.checks.near_empty import LONGEST_NOTHING, is_near_empty
from dataset_svc.checks.quick.arrays import Array, as_flags, as_numbers, flags, numbers

Texts = Array
"""Of strings, without nulls."""

# Digits and letters of most texts: whatever has one of them is neither blank nor signs alone.
_LETTER = (
    r"[A-Za-z0-9\x{0621}-\x{063A}\x{0641}-\x{064A}\x{067E}\x{0686}\x{0698}\x{06A9}\x{06AF}\x{06CC}\x{06F0}-\x{06F9}]"
)
_IN_EVERY_NOTHING = "[nN]"


def speaks(texts: Texts) -> bool:
    """Whether each of them has more than white space."""
    return not any(_is_blank(text) for text in _unclear(texts)[1])


def speaks_or_may_be_silent(texts: Texts, roles: Texts, silent: Collection[str]) -> bool:
    """As `speaks`, but for the texts of those roles."""
    places, unclear = _unclear(texts)
    return all(
        not _is_blank(text) or roles[place].as_py() in silent for place, text in zip(places, unclear, strict=True)
    )


def near_empty(answers: Texts) -> Flags:
    """Which of them `is_near_empty`."""
    wordless = ~_has(answers, _LETTER)
    short = as_numbers(pc.utf8_length(answers)) <= LONGEST_NOTHING
    found: Flags = np.zeros(len(answers), np.bool_)
    if short.any():
        wordless[short] |= _has(answers.filter(flags(short)), _IN_EVERY_NOTHING)
    for place in np.flatnonzero(wordless).tolist():
        found[place] = is_near_empty(answers[place].as_py())
    return found


def _is_blank(text: str) -> bool:
    return not text or text.isspace()


def _unclear(texts: Texts) -> tuple[list[int], list[str]]:
    places = np.flatnonzero(~_has(texts, _LETTER))
    return places.tolist(), texts.take(numbers(places)).to_pylist() if places.size else []


def _has(texts: Texts, pattern: str) -> Flags:
    return as_flags(pc.match_substring_regex(texts, pattern))
