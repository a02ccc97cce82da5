"""Half-spaces (U+200C): those that stand idle go, those that a space stands for are set."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from kargah.formats.persian import GAP, HALF_SPACE, HALF_SPACES, MARK, SPLIT_PLURAL, SPLIT_VERB, repaired_half_space
from kargah.formats.persian_words import NOT_BEFORE_PLURAL, PLURAL_SUFFIXES
from kargah.formats.spelling.edits import Edit

_GAP = re.compile(GAP)
_VERB_HINT = re.compile("می[ \u00a0]")
_PLURAL_HINT = re.compile("[ \u00a0]ها")
_WORD = re.compile(
    f"[\u0620-\u064a\u0671-\u06d3][{MARK}]*[\u0620-\u064a\u0671-\u06d3][{MARK}]*\\Z"
)  # not one letter alone
_PERSIAN_END = re.compile(f"[\u0620-\u064a\u0671-\u06d3{MARK}]")


def stray_edits(text: str) -> Iterator[Edit]:
    """Doubled half-spaces become one; at the edge of a word, or beside a space, there is none. One that keeps a mark
    off its letter stays: without it they would be another character."""
    for match in HALF_SPACES.finditer(text):
        new = repaired_half_space(match)
        before, after = text[max(0, match.start() - 1) : match.start()], text[match.end() : match.end() + 1]
        if new != match[0] and not _joins_another_script(before) and not unicodedata.combining(after or " "):
            yield Edit(match.start(), match.end(), new, "bad_half_space")


def _joins_another_script(before: str) -> bool:
    """Scripts of India write a half-space after a mark, where it does mean something."""
    return before != "" and unicodedata.category(before)[0] == "M" and not _PERSIAN_END.match(before)


def missing_edits(text: str) -> Iterator[Edit]:
    """«می شود» and «کتاب ها» are joined; the words that a verb or a plural makes are known by lists."""
    # Looking for what every such place holds is quicker than looking at every word.
    verbs = _verb_gaps(text) if _VERB_HINT.search(text) else ()
    plurals = _plural_gaps(text) if _PLURAL_HINT.search(text) else ()
    found = [*verbs, *plurals]
    for start, end in sorted(set(found)):
        yield Edit(start, end, HALF_SPACE, "missing_half_space")


def _verb_gaps(text: str) -> Iterator[tuple[int, int]]:
    for match in SPLIT_VERB.finditer(text):
        gap = _GAP.search(text, match.start())
        if gap is not None:
            yield gap.span()


def _plural_gaps(text: str) -> Iterator[tuple[int, int]]:
    for match in SPLIT_PLURAL.finditer(text):
        gap = _GAP.match(text, match.end())
        last = match["word"].rpartition(HALF_SPACE)[2]
        if gap is not None and _WORD.search(last) and last not in NOT_BEFORE_PLURAL | PLURAL_SUFFIXES:
            yield gap.span()
