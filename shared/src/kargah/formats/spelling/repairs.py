"""The repairs by name, in the order in which they work; doing any of them twice changes nothing more."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final, NamedTuple

from kargah.formats.persian import CONTROL, TATWEEL
from kargah.formats.spelling.characters import control_edits, unicode_edits
from kargah.formats.spelling.digits import digit_edits
from kargah.formats.spelling.edits import Edit, Edits, apply
from kargah.formats.spelling.half_spaces import missing_edits, stray_edits
from kargah.formats.spelling.letters import letter_edits
from kargah.formats.spelling.protected import protected
from kargah.formats.spelling.suspect import may_be_faulty

MESSAGES: Final = {
    "control_character": "an invisible control character",
    "not_nfc": "Unicode that is not normalised (NFC): a letter and its mark stand apart",
    "arabic_yeh": "Arabic yeh where Persian ی (U+06CC) is expected",
    "arabic_kaf": "Arabic kaf where Persian ک (U+06A9) is expected",
    "arabic_heh": "ۀ (U+06C0) where هٔ is expected",
    "presentation_form": "letters in the fixed shapes of old code pages",
    "bad_half_space": "a half-space is doubled or does not stand inside a word",
    "missing_half_space": "a space cuts off a prefix or suffix that a half-space should join",
    "arabic_digits": "Arabic-Indic digits where Persian digits are expected",
    "mixed_digits": "Latin digits beside Persian ones in one text",
    "tatweel": "a tatweel (U+0640) stretches the word",
}
_SNIPPET_MARGIN = 12


class TextFault(NamedTuple):
    """One fault: its code, the repair that mends it (None: a person must look), and the text around it."""

    code: str
    repair: str | None
    snippet: str


class _Step(NamedTuple):
    name: str
    edits: Edits
    foreign: bool


def _digits(text: str) -> Iterator[Edit]:
    return digit_edits(text, protected(text, foreign=True))


STEPS: Final = (
    _Step("control-characters", control_edits, False),
    _Step("unicode", unicode_edits, False),
    _Step("arabic-letters", letter_edits, True),
    _Step("half-space", stray_edits, True),
    _Step("half-space", missing_edits, True),
    _Step("digits", _digits, True),
)
TEXT_REPAIRS: Final = tuple(dict.fromkeys(step.name for step in STEPS))


def mend(text: str, names: Collection[str] = TEXT_REPAIRS) -> tuple[str, list[TextFault]]:
    """The text after the named repairs, and what they found, step by step."""
    faults: list[TextFault] = []
    if not may_be_faulty(text):
        return text, faults
    for step in STEPS:
        if step.name not in names:
            continue
        edits = _allowed(text, step)
        if edits:
            faults += [TextFault(edit.code, step.name, _snippet(text, edit)) for edit in edits]
            text = apply(text, edits)
    return text, faults


def find_faults(text: str) -> list[TextFault]:
    """Every fault of a text, those with a repair first."""
    faults = mend(text)[1]
    if "\u0640" in text:
        stretched = [Edit(*match.span(), "", "tatweel") for match in TATWEEL.finditer(text)]
        edits = protected(text, foreign=True).outside(stretched)
        faults += [TextFault("tatweel", None, _snippet(text, edit)) for edit in edits]
    return faults


def _allowed(text: str, step: _Step) -> Sequence[Edit]:
    if text.isascii() and step.foreign:
        return ()
    edits = list(step.edits(text))
    return protected(text, foreign=step.foreign).outside(edits) if edits else edits


def _snippet(text: str, edit: Edit) -> str:
    end = min(edit.end, edit.start + 2 * _SNIPPET_MARGIN)
    return CONTROL.sub("\ufffd", text[max(0, edit.start - _SNIPPET_MARGIN) : end + _SNIPPET_MARGIN])
