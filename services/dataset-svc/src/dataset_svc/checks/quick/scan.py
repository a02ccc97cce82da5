"""A block of JSON lines whose rows differ in nothing but what stands between quotes: found by comparing bytes.

Most files are written by one program, every line of them alike but for its texts. Where that is so, one line parsed
strictly says what all the others are, and the rest is to see that they are alike: many times as fast as any parser.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import orjson
import pyarrow as pa

from dataset_svc.checks.pieces import Flags, Pieces, Places, Stretch, stands_at
from dataset_svc.checks.quick.plan import TEXT, Plan, Turns
from dataset_svc.readers.strict_row import SUSPECT_ESCAPE, quick_row

_QUOTE, _BACKSLASH, _FIRST_PRINTABLE = b'"'[0], b"\\"[0], 32
_OF_TEXT, _OF_TURN = 4, 8  # quotes: those of a name and of a text


@dataclass(frozen=True, slots=True)
class Talk:
    """Turns of conversations: those of row `i` are `turns[offsets[i] : offsets[i + 1]]`."""

    offsets: Places
    roles: Pieces
    texts: Pieces


@dataclass(frozen=True, slots=True)
class Scanned:
    """The texts of a block by the names of their columns, and its conversations where it has such."""

    texts: dict[str, Pieces]
    talk: Talk | None


@dataclass(frozen=True, slots=True)
class _Lines:
    """A block's bytes, its lines, and the quotes that begin or end a text; those of line `i` begin at `firsts[i]`."""

    stretch: Stretch
    begins: Places
    ends: Places
    quotes: Places
    firsts: Places

    def line(self, place: int) -> bytes:
        """Without its newline."""
        return self.part(self.begins[place], self.ends[place])

    def part(self, begin: int, end: int) -> bytes:
        """Some of the bytes."""
        return self.stretch.view[begin:end].tobytes()

    def alike(self, begins: Places, ends: Places, model: int) -> bool:
        """Whether all these parts are what the one at the place `model` is."""
        text = self.part(begins[model], ends[model])
        return bool((ends - begins == len(text)).all() and stands_at(self.stretch, begins, text).all())


def scan(data: bytes, rows: Pieces, plan: Plan) -> Scanned | None:
    """The texts of a block with these lines; None where it is not certain that each is one strict row of the plan."""
    if any(kind != TEXT for kind in plan.columns.values()) or (plan.turns is not None and plan.columns):
        return None
    quotes = _quotes(data, rows.stretch, len(rows))
    if quotes is None:
        return None
    firsts = np.append(quotes.searchsorted(rows.begins), len(quotes))
    lines = _Lines(rows.stretch, rows.begins, rows.ends, quotes, firsts)
    scanned = _flat(lines, plan) if plan.turns is None else _talk(lines, plan.turns)
    if scanned is None or not _is_utf8(data):
        return None
    return scanned if b"\\" not in data else _unescaped(data, scanned)


def _quotes(data: bytes, stretch: Stretch, lines: int) -> Places | None:
    """Quotes that are not escaped; None where that is not plain, or there are control characters."""
    view = stretch.view[: stretch.size]
    if np.count_nonzero(view < _FIRST_PRINTABLE) != lines:
        return None
    quotes = np.flatnonzero(view == _QUOTE)
    if b"\\" in data:
        if b"\\\\" in data or (b"\\u" in data and SUSPECT_ESCAPE.search(data)):
            return None
        quotes = quotes[view[quotes - 1] != _BACKSLASH]
    return quotes if quotes.size else None


def _is_utf8(data: bytes) -> bool:
    whole = [None, pa.py_buffer(np.array([0, len(data)], np.int32)), pa.py_buffer(data)]
    try:
        pa.Array.from_buffers(pa.string(), 1, whole).validate(full=True)
    except pa.ArrowException:
        return False
    return True


def _flat(lines: _Lines, plan: Plan) -> Scanned | None:
    """Rows of texts alone."""
    model, count = quick_row(lines.line(0)), _OF_TEXT * len(plan.columns)
    if model is None or model.keys() != plan.columns.keys() or (np.diff(lines.firsts) != count).any():
        return None
    quotes = lines.quotes.reshape(-1, count)
    begins, ends = quotes[:, 2::_OF_TEXT] + 1, quotes[:, 3::_OF_TEXT]
    froms = np.column_stack((lines.begins, ends))
    tos = np.column_stack((begins, lines.ends + 1))
    if not all(lines.alike(froms[:, place], tos[:, place], 0) for place in range(froms.shape[1])):
        return None
    if not _ends_with_brace(lines):
        return None
    texts = {name: Pieces(lines.stretch, begins[:, place], ends[:, place]) for place, name in enumerate(model)}
    return Scanned(texts, None)


def _ends_with_brace(lines: _Lines) -> bool:
    """Whether the first line does, which all others are like: nothing may stand behind a row that is kept as it is."""
    line = lines.line(0)
    return line.startswith(b"{") and line.endswith(b"}")


def _talk(lines: _Lines, names: Turns) -> Scanned | None:
    """Rows of one conversation each."""
    counts = np.diff(lines.firsts) - 2
    if (counts <= 0).any() or (counts % _OF_TURN).any():
        return None
    turns = counts // _OF_TURN
    offsets = np.concatenate(([0], np.cumsum(turns)))
    row = int(np.argmax(turns > 1))  # one of several turns says what stands between two; else the first says all
    order = _order(lines.line(row), names)
    if order is None or not _ends_with_brace(lines):
        return None
    quotes = np.delete(lines.quotes, np.concatenate((lines.firsts[:-1], lines.firsts[:-1] + 1))).reshape(-1, _OF_TURN)
    if not _alike_turns(lines, quotes, offsets, row):
        return None
    role, text = order
    roles = Pieces(lines.stretch, quotes[:, role] + 1, quotes[:, role + 1])
    texts = Pieces(lines.stretch, quotes[:, text] + 1, quotes[:, text + 1])
    return Scanned({}, Talk(offsets, roles, texts))


def _order(line: bytes, names: Turns) -> tuple[int, int] | None:
    """At which of a turn's quotes role and text begin, by one line."""
    model = quick_row(line)
    if model is None or model.keys() != {names.column} or not isinstance(model[names.column], list):
        return None
    for turn in model[names.column]:
        if not isinstance(turn, dict) or turn.keys() != {names.role, names.text}:
            return None
        if not all(isinstance(value, str) for value in turn.values()):
            return None
    return (2, 6) if next(iter(model[names.column][0])) == names.role else (6, 2)


def _alike_turns(lines: _Lines, quotes: Places, offsets: Places, row: int) -> bool:
    """Whether all that stands outside of the turns' texts is what it is in the row `row`."""
    first, last = offsets[:-1], offsets[1:] - 1
    inner = np.ones(len(quotes), np.bool_)
    inner[last] = False
    before = np.flatnonzero(inner)
    turn = int(offsets[row])
    return (
        lines.alike(lines.begins, quotes[first, 2] + 1, row)
        and lines.alike(quotes[:, 3], quotes[:, 6] + 1, turn)
        and (
            not before.size or lines.alike(quotes[before, 7], quotes[before + 1, 2] + 1, int(before.searchsorted(turn)))
        )
        and lines.alike(quotes[last, 7], lines.ends + 1, row)
    )


def _unescaped(data: bytes, scanned: Scanned) -> Scanned | None:
    """The same with the texts that are escaped written out, behind the block's own bytes."""
    parts = [*scanned.texts.values()]
    if scanned.talk is not None:
        parts += [scanned.talk.roles, scanned.talk.texts]
    escaped = [np.flatnonzero(_with_escapes(data, pieces)) for pieces in parts]
    try:
        written = [_written(pieces.at(places)) for pieces, places in zip(parts, escaped, strict=True)]
    except orjson.JSONDecodeError:
        return None
    stretch = Stretch(b"".join((data, *(text for texts in written for text in texts))))
    moved, end = [], len(data)
    for pieces, places, texts in zip(parts, escaped, written, strict=True):
        sizes = np.fromiter(map(len, texts), np.int64, len(texts))
        begins, ends = pieces.begins.copy(), pieces.ends.copy()
        ends[places] = end + np.cumsum(sizes)
        begins[places] = ends[places] - sizes
        moved.append(Pieces(stretch, begins, ends))
        end += int(sizes.sum())
    talk = None if scanned.talk is None else Talk(scanned.talk.offsets, *moved[-2:])
    return Scanned(dict(zip(scanned.texts, moved, strict=False)), talk)


def _with_escapes(data: bytes, pieces: Pieces) -> Flags:
    escapes = np.flatnonzero(np.frombuffer(data, np.uint8) == _BACKSLASH)
    return escapes.searchsorted(pieces.ends) > escapes.searchsorted(pieces.begins)


def _written(pieces: Pieces) -> Sequence[bytes]:
    return [orjson.loads(b'"%b"' % text).encode() for text in pieces.each()]
