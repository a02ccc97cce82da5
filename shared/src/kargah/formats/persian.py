"""Find and repair the typing faults that most often spoil Persian text.

The checks are for prose written in Persian. They work on characters and short word lists, without a
dictionary, so they prefer to miss a fault over blaming a correct text: «می ناب» (pure wine) is left alone
while «می رود» is reported. :func:`normalise` repairs only what cannot change the meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kargah.formats.persian_words import (
    NOT_BEFORE_PLURAL,
    PAST_STEMS,
    PLURAL_SUFFIXES,
    PRESENT_STEMS,
    WHOLE_VERBS,
)

HALF_SPACE: Final = "\u200c"


class IssueCode(StrEnum):
    """Name of each fault; callers store it, so a name is never changed."""

    ARABIC_YEH = "arabic_yeh"
    ARABIC_KAF = "arabic_kaf"
    ARABIC_DIGITS = "arabic_digits"
    MIXED_DIGITS = "mixed_digits"
    MISSING_HALF_SPACE = "missing_half_space"
    BAD_HALF_SPACE = "bad_half_space"
    CONTROL_CHARACTER = "control_character"
    TATWEEL = "tatweel"


REPAIRABLE: Final = frozenset(
    {
        IssueCode.ARABIC_YEH,
        IssueCode.ARABIC_KAF,
        IssueCode.ARABIC_DIGITS,
        IssueCode.MIXED_DIGITS,
        IssueCode.BAD_HALF_SPACE,
    }
)
"""Faults that :func:`normalise` removes; the others need a human eye."""

_MESSAGES: Final[dict[IssueCode, str]] = {
    IssueCode.ARABIC_YEH: "Arabic yeh where Persian ی (U+06CC) is expected",
    IssueCode.ARABIC_KAF: "Arabic kaf where Persian ک (U+06A9) is expected",
    IssueCode.ARABIC_DIGITS: "Arabic-Indic digits where Persian digits (U+06F0 to U+06F9) are expected",
    IssueCode.MIXED_DIGITS: "one number is written with both Latin and Persian or Arabic-Indic digits",
    IssueCode.MISSING_HALF_SPACE: "a space cuts off a prefix or suffix that a half-space should join",
    IssueCode.BAD_HALF_SPACE: "a half-space is doubled or does not stand inside a word",
    IssueCode.CONTROL_CHARACTER: "an invisible control character or a lone surrogate",
    IssueCode.TATWEEL: "a tatweel (U+0640) stretches the word",
}


@dataclass(frozen=True, slots=True)
class TextIssue:
    """One fault: its code, a sentence for people, its offset in characters, and the text around it."""

    code: IssueCode
    message: str
    position: int
    snippet: str


def _any_of(words: frozenset[str]) -> str:
    return "(?:" + "|".join(sorted(words)) + ")"


_SNIPPET_MARGIN: Final = 12
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
_LATIN_DIGIT: Final = re.compile("[0-9]")
_EASTERN_DIGIT: Final = re.compile("[\u0660-\u0669\u06f0-\u06f9]")

# Both joiners are left out (they shape words and emoji), and so are the Arabic signs that are drawn.
CONTROL: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0001\ud800-\udfff]+"
)

# «هـ.ش» (of the solar calendar) is the one abbreviation that is rightly written with a tatweel.
TATWEEL: Final = re.compile(r"(?<!\bه)\u0640+|(?<=\bه)\u0640+(?=\w)")

_PLAIN: Final[tuple[tuple[IssueCode, re.Pattern[str]], ...]] = (
    (IssueCode.ARABIC_YEH, re.compile("[\u064a\u0649]+")),
    (IssueCode.ARABIC_KAF, re.compile("\u0643+")),
    (IssueCode.ARABIC_DIGITS, re.compile("[\u0660-\u0669]+")),
    (IssueCode.MISSING_HALF_SPACE, SPLIT_VERB),
    (IssueCode.CONTROL_CHARACTER, CONTROL),
    (IssueCode.TATWEEL, TATWEEL),
)
_FROM_ARABIC: Final = str.maketrans("\u064a\u0649\u0643٠١٢٣٤٥٦٧٨٩", "ییک۰۱۲۳۴۵۶۷۸۹")
_FROM_LATIN: Final = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


def find_issues(text: str) -> list[TextIssue]:
    """Return the faults of a Persian text in reading order; an empty list means none was found."""
    found = ((span, code) for code, span in _spans(text))
    return [_issue(text, code, span) for span, code in sorted(found)]


def normalise(text: str) -> str:
    """Return the text with every fault of :data:`REPAIRABLE` repaired; doing it twice changes nothing more."""
    joined = HALF_SPACES.sub(repaired_half_space, text)
    return NUMBER.sub(_repaired_number, joined.translate(_FROM_ARABIC))


def _spans(text: str) -> Iterator[tuple[IssueCode, tuple[int, int]]]:
    for code, pattern in _PLAIN:
        for match in pattern.finditer(text):
            yield code, match.span()
    for match in SPLIT_PLURAL.finditer(text):
        if match["word"] not in NOT_BEFORE_PLURAL:
            yield IssueCode.MISSING_HALF_SPACE, match.span()
    for match in HALF_SPACES.finditer(text):
        if match[0] != repaired_half_space(match):
            yield IssueCode.BAD_HALF_SPACE, match.span()
    for match in NUMBER.finditer(text):
        if _is_mixed(match[0]):
            yield IssueCode.MIXED_DIGITS, match.span()


def _issue(text: str, code: IssueCode, span: tuple[int, int]) -> TextIssue:
    start, end = span
    # A fault may be as long as the text (a million tatweels), the snippet never is.
    end = min(end, start + 2 * _SNIPPET_MARGIN)
    snippet = text[max(0, start - _SNIPPET_MARGIN) : end + _SNIPPET_MARGIN]
    # Shown and sent as JSON, where a lone surrogate would break the encoding.
    return TextIssue(code, _MESSAGES[code], start, CONTROL.sub("\ufffd", snippet))


def repaired_half_space(run: re.Match[str]) -> str:
    """Return one half-space where the run stands inside a word, and nothing where it would be idle."""
    before, after = run.string[max(0, run.start() - 1) : run.start()], run.string[run.end() : run.end() + 1]
    inside = _WORD_END.match(before) and _WORD_START.match(after)
    return HALF_SPACE if inside else ""


def _is_mixed(number: str) -> bool:
    return bool(_LATIN_DIGIT.search(number) and _EASTERN_DIGIT.search(number))


def _repaired_number(match: re.Match[str]) -> str:
    return match[0].translate(_FROM_LATIN) if _is_mixed(match[0]) else match[0]
