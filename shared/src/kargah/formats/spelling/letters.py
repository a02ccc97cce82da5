"""Arabic letters in Persian words: ي and ى for ی, ك for ک, ۀ for هٔ, and the shapes of old code pages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from kargah.formats.persian import HALF_SPACE, MARK
from kargah.formats.spelling.edits import Edit

_FORMS = "\ufb56-\ufb95\ufbfc-\ufbff\ufe80-\ufefc"
_RUN = re.compile(f"(?P<arabic_yeh>[\u064a\u0649]+)|(?P<arabic_kaf>\u0643+)|(?P<arabic_heh>\u06c0[{MARK}]{{0,16}})"
                  f"|(?P<presentation_form>[{_FORMS}]+[{MARK}]{{0,16}})")  # fmt: skip
_COMPOSED = ("arabic_heh", "presentation_form")
_PART_OF_WORD = re.compile(f"[\u0620-\u064a{MARK}\u0671-\u06d3{_FORMS}{HALF_SPACE}]")
_TO_PERSIAN = str.maketrans({"\u064a": "ی", "\u0649": "ی", "\u0643": "ک", "\u06c0": "ه\u0654"})


def letter_edits(text: str) -> Iterator[Edit]:
    """A letter that stands alone is spoken of, not misspelled, and stays; so does one under a heap of marks."""
    for match in _RUN.finditer(text):
        start, end = match.span()
        if unicodedata.combining(text[end : end + 1] or " ") and match.lastgroup in _COMPOSED:
            continue
        if end - start > 1 or _in_word(text, start, end):
            yield Edit(start, end, _persian(match[0]), match.lastgroup or "")


def _in_word(text: str, start: int, end: int) -> bool:
    around = (text[start - 1 : start] if start else "", text[end : end + 1])
    return any(_PART_OF_WORD.match(character) for character in around)


def _persian(letters: str) -> str:
    if re.match(f"[{_FORMS}]", letters):
        letters = unicodedata.normalize("NFKC", letters)
    return unicodedata.normalize("NFC", letters.translate(_TO_PERSIAN))
