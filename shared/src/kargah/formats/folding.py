"""Texts as a search compares them: what Persian writers vary without meaning anything by it is the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kargah.formats.persian import HALF_SPACE
from kargah.formats.unicode_forms import in_form

_SAME: Final = str.maketrans(
    {
        **dict(zip("يىئكأإٱؤۀة", "یییکاااوهه", strict=True)),
        **dict(zip("٠١٢٣٤٥٦٧٨٩", "0123456789", strict=True)),
        **dict(zip("۰۱۲۳۴۵۶۷۸۹", "0123456789", strict=True)),
        **dict.fromkeys("ًٌٍَُِّْٰٕٔـ", None),
    }
)


def folded(text: str) -> str:
    """Without case, Arabic forms of Persian letters, vowel signs, kinds of digits and ligatures; half-spaces stay."""
    return in_form("NFKC", text).translate(_SAME).casefold()


@dataclass(frozen=True, slots=True)
class Needle:
    """What is searched for. A half-space is the same as nothing, and as a space: «می‌رود», «میرود» and «می رود»."""

    joined: str
    spaced: str

    @classmethod
    def of(cls, text: str) -> Needle:
        plain = folded(text)
        return cls(plain.replace(HALF_SPACE, ""), plain.replace(HALF_SPACE, " "))

    def is_in(self, text: str) -> bool:
        """Whether the text has it."""
        plain = folded(text)
        if HALF_SPACE not in plain:
            return self.joined in plain or self.spaced in plain
        return self.joined in plain.replace(HALF_SPACE, "") or self.spaced in plain.replace(HALF_SPACE, " ")

    def is_in_row(self, row: Mapping[str, Any]) -> bool:
        """Whether a text of the row has it, in any field and at any depth."""
        return any(self.is_in(text) for text in _texts(row))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif value is not None:
        yield str(value)
