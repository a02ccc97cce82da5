"""Strict JSON for one row: no duplicate keys, no NaN or infinity, bounded depth, no text that UTF-8 cannot hold."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from dataset_svc.readers.rows import shortened
from kargah.formats.columns import kind_of

MAX_DEPTH = 64
SUSPECT_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NEVER = -(1 << 62)
_EXACT_FLOAT = 2.0**63


def quick_row(raw: bytes) -> dict[str, Any] | None:
    """The object that one line holds, by a fast parser; None when it is not certain to be what RowDecoder would give
    without an objection: that one then has the last word.

    The fast parser keeps quiet about names that stand twice, so strings are counted: those in the object, and those in
    the text by their quotes. A name that was dropped is missing in the object.
    """
    quotes = raw.count(b'"')
    if b"\\" in raw:
        # Behind two backslashes a quote may end a string or not.
        if b"\\\\" in raw or (b"\\u" in raw and SUSPECT_ESCAPE.search(raw)):
            return None
        quotes -= raw.count(b'\\"')
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return value if type(value) is dict and 2 * _strings(value, 1) == quotes else None


def _strings(value: dict[str, Any] | list[Any], depth: int) -> int:
    """How many strings a value is made of, names and texts; far below 0 when it is too deep, or holds a number that is
    not sure to be exact."""
    count = len(value) if type(value) is dict else 0
    inside: Iterable[Any] = value.values() if type(value) is dict else value
    for inner in inside:
        kind = type(inner)
        if kind is str:
            count += 1
        elif kind is dict or kind is list:
            count += _strings(inner, depth + 1) if depth < MAX_DEPTH else _NEVER
        elif kind is float and not -_EXACT_FLOAT < inner < _EXACT_FLOAT:
            count += _NEVER
    return count


@dataclass(frozen=True, slots=True)
class RowFault:
    """Why a row's JSON is refused; `position` is a character index in the decoded text where that is known."""

    code: str
    message: str
    field: str | None = None
    position: int = 0


class Unreadable(Exception):
    """The text is not JSON from `fault.position` on; where the value ends is unknown."""

    def __init__(self, fault: RowFault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class RowDecoder:
    """Decodes values and remembers what strictness objects to; one per file, not for several threads.

    Objections are noted rather than raised inside the parser, so that the value's end is known and reading can go on.
    """

    def __init__(self) -> None:
        self._notes: list[RowFault] = []
        self._scan = json.JSONDecoder(
            object_pairs_hook=self._object, parse_constant=self._constant, parse_float=self._float
        ).raw_decode

    def decode(self, text: str, start: int) -> tuple[Any, int]:
        """The value at `start` and where it ends. Raises Unreadable."""
        if self._notes:
            self._notes.clear()
        try:
            return self._scan(text, start)
        except json.JSONDecodeError as error:
            raise Unreadable(RowFault("syntax", f"not JSON: {_plain(error.msg)}", None, error.pos)) from None
        except RecursionError:
            raise Unreadable(_too_deep(start)) from None
        except ValueError:
            raise Unreadable(RowFault("number_too_long", "a number has too many digits", None, start)) from None

    def objection(self, value: Any, raw: bytes) -> RowFault | None:
        """What is wrong with the value just decoded from `raw`; None if nothing."""
        if self._notes:
            return self._notes[0]
        if not isinstance(value, dict):
            return RowFault("not_an_object", f"a row must be an object, and this is {kind_of(value)}")
        if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and _deeper_than(value, MAX_DEPTH):
            return _too_deep(0)
        if b"\\u" in raw and SUSPECT_ESCAPE.search(raw):
            return text_fault(value)
        return None

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            counts = Counter(key for key, _ in pairs)
            self._notes.append(_duplicate(next(key for key, count in counts.items() if count > 1)))
        return value

    def _constant(self, name: str) -> float:
        self._notes.append(RowFault("not_finite", f"{name} is not a JSON number"))
        return 0.0

    def _float(self, digits: str) -> float:
        value = float(digits)
        if value in (float("inf"), float("-inf")):
            self._notes.append(RowFault("not_finite", f"{shortened(digits, 20)} is too large for a number"))
        return value


def text_fault(value: Any) -> RowFault | None:
    """The first U+0000 or lone surrogate in any text of a row, with its field."""
    for field, text in _texts(value):
        if "\x00" in text:
            return RowFault("null_character", "the text holds U+0000, which cannot be stored", field)
        if _SURROGATE.search(text):
            return RowFault("lone_surrogate", "the text holds half of a surrogate pair", field)
    return None


def _texts(value: Any, field: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield field, value
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _texts(item, f"{field}[{number}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            name = shortened(_SURROGATE.sub("\ufffd", key.replace("\x00", "\ufffd")))
            inner = f"{field}.{name}" if field else name
            yield inner, key
            yield from _texts(item, inner)


def _deeper_than(value: Any, limit: int) -> bool:
    layer = [value]
    for _ in range(limit):
        layer = [inner for outer in layer for inner in _inside(outer)]
        if not layer:
            return False
    return True


def _inside(value: Any) -> list[Any]:
    items = value.values() if isinstance(value, dict) else value
    return [item for item in items if isinstance(item, dict | list)]


def _too_deep(position: int) -> RowFault:
    return RowFault("too_deep", f"the row is nested more than {MAX_DEPTH} levels deep", None, position)


def _duplicate(key: str) -> RowFault:
    name = shortened(_SURROGATE.sub("\ufffd", key.replace("\x00", "\ufffd")))
    return RowFault("duplicate_key", f"the key `{name}` stands twice in one object", name)


def _plain(message: str) -> str:
    return message[:1].lower() + message[1:]
