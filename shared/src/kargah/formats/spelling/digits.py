"""Digits: one text, one kind. Numbers that belong to Latin words, versions and formulas keep theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kargah.formats.persian import NUMBER
from kargah.formats.spelling.edits import Edit, Spans

_TO_PERSIAN = str.maketrans("0123456789٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹۰۱۲۳۴۵۶۷۸۹")
_LATIN_DIGIT = re.compile("[0-9]")
_ARABIC_DIGIT = re.compile("[\u0660-\u0669]")
_EASTERN_DIGIT = re.compile("[\u0660-\u0669\u06f0-\u06f9]")
_ATTACHED = re.compile(r"[A-Za-z_\-+@#/\\=<>&^~|*$`\[\]{}.:,]")
_LATIN_OR_FORMULA = re.compile("[A-Za-z\u00c0-\u024f=<>+*^]")
_SIDES = " \u00a0()"
_NEAR = 24


def digit_edits(text: str, excluded: Spans) -> Iterator[Edit]:
    """Arabic-Indic digits become Persian ones; so do Latin ones in a text that writes Persian ones as well."""
    if not _EASTERN_DIGIT.search(text):
        return
    numbers = [match for match in NUMBER.finditer(text) if not excluded.touch(*match.span())]
    persian_too = any(_EASTERN_DIGIT.search(match[0]) for match in numbers)
    for match in numbers:
        code = _fault(text, match, persian_too)
        if code is not None:
            yield Edit(match.start(), match.end(), match[0].translate(_TO_PERSIAN), code)


def _fault(text: str, number: re.Match[str], persian_too: bool) -> str | None:
    latin = _LATIN_DIGIT.search(number[0])
    if latin and _EASTERN_DIGIT.search(number[0]):
        return "mixed_digits"
    if latin:
        return "mixed_digits" if persian_too and _is_prose(text, number) else None
    return "arabic_digits" if _ARABIC_DIGIT.search(number[0]) else None


def _is_prose(text: str, number: re.Match[str]) -> bool:
    """Whether the number is one of the sentence: not attached to a sign, not beside a Latin word, no version."""
    start, end = number.span()
    before, after = text[max(0, start - _NEAR) : start], text[end : end + _NEAR]
    if _ATTACHED.match(before[-1:]) or (_ATTACHED.match(after) and not _ends_a_clause(after)):
        return False
    if _LATIN_OR_FORMULA.match(before.rstrip(_SIDES)[-1:]) or _LATIN_OR_FORMULA.match(after.lstrip(_SIDES)):
        return False
    return number[0].count(".") < 2


def _ends_a_clause(after: str) -> bool:
    """A full stop, colon or comma with nothing attached behind it."""
    return after[0] in ".:," and not after[1:2].strip()
