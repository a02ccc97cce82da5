"""Characters that should not be there, in whatever language: invisible controls, and text that is not in NFC."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kargah.formats.persian import CONTROL, HALF_SPACE
from kargah.formats.spelling.edits import Edit
from kargah.formats.unicode_forms import in_form, is_composed

_BREAK = re.compile("[\x0b\x0c\x85\u2028\u2029]")
_SOFT = re.compile("[\u200b\u00ad]")
_LETTER = re.compile("[\u0620-\u065f\u0670-\u06d3\u06d5]")
# Only what follows an ASCII character can combine with it, so a text falls apart there.
_CLUSTER = re.compile("[\x00-\x7f]?[^\x00-\x7f]+")


def control_edits(text: str) -> Iterator[Edit]:
    """Controls go; those that break a line become a newline, and a zero-width space inside a word a half-space."""
    for match in CONTROL.finditer(text):
        start, end = match.span()
        yield Edit(start, end, _instead(match[0], text[start - 1 : start], text[end : end + 1]), "control_character")


def _instead(run: str, before: str, after: str) -> str:
    if _BREAK.search(run):
        return "\n"
    return HALF_SPACE if _SOFT.search(run) and _LETTER.match(before) and _LETTER.match(after) else ""


def unicode_edits(text: str) -> Iterator[Edit]:
    """Composes what is written in pieces: a letter and its mark that have one character of their own."""
    if is_composed(text):
        return
    for match in _CLUSTER.finditer(text):
        composed = in_form("NFC", match[0])
        if composed != match[0]:
            yield Edit(match.start(), match.end(), composed, "not_nfc")
