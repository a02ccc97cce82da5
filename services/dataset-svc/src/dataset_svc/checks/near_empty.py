"""Answers that say nothing: signs alone, or what programs write where there is nothing."""

from __future__ import annotations

import re
import unicodedata

_FIRST = re.compile(r"[^\W_]")
_NOTHING = frozenset({"null", "nan", "n/a", "#n/a", "undefined", "<na>"})
LONGEST_NOTHING = 12


def is_near_empty(answer: str) -> bool:
    """Whether there is no letter, digit or symbol in it, or only a word for nothing."""
    if len(answer) <= LONGEST_NOTHING and answer.strip().casefold() in _NOTHING:
        return True
    if _FIRST.search(answer):
        return False
    return not any(unicodedata.category(character)[0] == "S" for character in answer)
