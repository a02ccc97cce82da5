"""What Persian typing looks like: the characters and patterns that the checks and repairs of spelling share.

The patterns are for prose written in Persian. They work on characters and short word lists, without a
dictionary, so they prefer to miss a fault over blaming a correct text: «می ناب» (pure wine) is left alone
while «می رود» is found.
"""

from __future__ import annotations

import re
from typing import Final

from kargah.formats.persian_words import (
    PAST_STEMS,
    PLURAL_SUFFIXES,
    PRESENT_STEMS,
    WHOLE_VERBS,
)

HALF_SPACE: Final = "\u200c"


def _any_of(words: frozenset[str]) -> str:
    return "(?:" + "|".join(sorted(words)) + ")"


GAP: Final = "[ \u00a0]+"
MARK: Final = "\u064b-\u065f\u0670"
_NO_WORD_BEFORE: Final = rf"(?<![\w{MARK}{HALF_SPACE}])"
_NO_WORD_AFTER: Final = rf"(?![\w{MARK}{HALF_SPACE}])"
_OBJECT: Final = "(?:م|ت|ش|مان|تان|شان)?"
_PRESENT: Final = _any_of(PRESENT_STEMS) + "(?:م|ی|د|یم|ید|ند)" + _OBJECT
_PAST: Final = _any_of(PAST_STEMS) + "(?:م|ی|یم|ید|ند|ه)?" + _OBJECT
_VERB: Final = f"(?:{_PRESENT}|{_PAST}|{_any_of(WHOLE_VERBS)})"

SPLIT_VERB: Final = re.compile(f"{_NO_WORD_BEFORE}ن?می{GAP}{_VERB}{_NO_WORD_AFTER}")
SPLIT_PLURAL: Final = re.compile(
    rf"{_NO_WORD_BEFORE}(?P<word>(?:[^\W\d_]|[{MARK}{HALF_SPACE}])+)"
    rf"(?={GAP}{_any_of(PLURAL_SUFFIXES)}{_NO_WORD_AFTER})"
)
HALF_SPACES: Final = re.compile(f"{HALF_SPACE}+")
# Python's \w leaves out combining signs, yet «خانهٔ» ends in one and may carry a half-space after it.
_WORD_END: Final = re.compile(rf"[\w{MARK}]")
_WORD_START: Final = re.compile(r"\w")
NUMBER: Final = re.compile("[0-9\u0660-\u0669\u06f0-\u06f9]+(?:[.,/:٫٬][0-9\u0660-\u0669\u06f0-\u06f9]+)*")
# Both joiners are left out (they shape words and emoji), and so are the Arabic signs that are drawn.
CONTROL: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0001\ud800-\udfff]+"
)

# «هـ.ش» (of the solar calendar) is the one abbreviation that is rightly written with a tatweel.
TATWEEL: Final = re.compile(r"(?<!\bه)\u0640+|(?<=\bه)\u0640+(?=\w)")


def repaired_half_space(run: re.Match[str]) -> str:
    """Return one half-space where the run stands inside a word, and nothing where it would be idle."""
    before, after = run.string[max(0, run.start() - 1) : run.start()], run.string[run.end() : run.end() + 1]
    inside = _WORD_END.match(before) and _WORD_START.match(after)
    return HALF_SPACE if inside else ""
