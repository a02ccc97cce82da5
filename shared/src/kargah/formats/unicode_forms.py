"""Unicode's normal forms in bounded time.

Putting the marks on one letter in order takes time by the square of their number: a row of nothing but marks would
keep a processor busy for hours. Nobody writes two hundred marks on a letter, so such a text is left as it is.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Literal

_MOST_MARKS = 200
_LAST_MARK = 0x1EFFF  # no character behind it combines


def in_form(form: Literal["NFC", "NFKC"], text: str) -> str:
    """The text in that form, or the text itself where hundreds of marks stand in a row."""
    if text.isascii() or has_too_many_marks(text):
        return text
    return unicodedata.normalize(form, text)


def is_composed(text: str) -> bool:
    """Whether `in_form("NFC", text)` would be the same text."""
    return text.isascii() or has_too_many_marks(text) or unicodedata.is_normalized("NFC", text)


def has_too_many_marks(text: str) -> bool:
    """Whether it is left as it is, whatever its form."""
    # So many in a row leave none of these places out: most texts have no mark at any of them.
    return any(map(unicodedata.combining, text[::_MOST_MARKS])) and _too_many_marks().search(text) is not None


@cache
def _too_many_marks() -> re.Pattern[str]:
    marks = "".join(map(chr, filter(lambda code: unicodedata.combining(chr(code)), range(_LAST_MARK + 1))))
    return re.compile(f"[{re.escape(marks)}]{{{_MOST_MARKS},}}")
