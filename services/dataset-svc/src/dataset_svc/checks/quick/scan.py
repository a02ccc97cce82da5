"""A block of JSON lines whose rows differ in nothing but what stands between quotes: found by comparing bytes.

Most files are written by one program, every line of them alike but for its texts. Where that is so, one line parsed
strictly says what all the others are, and the rest is to see that they are alike: many times as fast as any parser.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import orjson

from dataset_svc import kernels
from dataset_svc.checks.arrays import Digests, Flags, Places
from dataset_svc.checks.pieces import Pieces, Stretch, places_of, stands_at
from dataset_svc.checks.quick.encoding import is_utf8
from dataset_svc.checks.quick.plan import TEXT, Plan, Row, Turns
from dataset_svc.checks.row_digests import LONG, flat_rows, row_digests, talk_rows
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
    """The texts of a block by the names of their columns, its conversations where it has such, and the digests of its
    rows where they are known."""

    texts: dict[str, Pieces]
    talk: Talk | None
    rows: Digests | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A block's texts and conversations, its lists of texts with their offsets, and its other columns as texts."""

    scanned: Scanned
    lists: dict[str, tuple[Pieces, Places]]
    others: dict[str, Pieces]


@dataclass(frozen=True, slots=True)
class _Alike:
    """What lines are that differ from the line `model` in nothing but `values`, by where these stand: the number of
    their column; or where there are `offsets` of conversations, that of the quote of a turn before them."""

    model: int
    values: dict[int, Pieces]
    offsets: Places | None = None

    def rows(self, rows: Pieces, values: list[Digests]) -> Digests:
        """The rows' digests, from those of the values."""
        if kernels.PRESENT or (rows.sizes > LONG).any():
            return row_digests(rows)
        model = rows.at(slice(self.model, self.model + 1))
        if self.offsets is None:
            return flat_rows(model, values)
        return talk_rows(model, self.offsets, dict(zip(self.values, values, strict=True)))


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
    model = quick_row(lines.line(0))
    if model is None:
        return None
    alike = _flat(lines, plan, model) if plan.turns is None else _talk(lines, plan.turns)
    if alike is None or not is_utf8(rows.stretch):
        return None
    read = _unescaped(data, [*alike.values.values()])
    if read is None:
        return None
    digests, (texts, _) = alike.rows(rows, read[1]), read
    if alike.offsets is None:
        return Scanned(dict(zip(model, texts, strict=True)), None, digests)
    roles, said = texts
    return Scanned({}, Talk(alike.offsets, roles, said), digests)


def _quotes(data: bytes, stretch: Stretch, lines: int) -> Places | None:
    """Quotes that are not escaped; None where that is not plain, or there are control characters."""
    view = stretch.view[: stretch.size]
    if _has_control(data, lines):
        return None
    quotes = places_of(data, _QUOTE)
    if b"\\" in data:
        if b"\\\\" in data or (b"\\u" in data and SUSPECT_ESCAPE.search(data)):
            return None
        quotes = quotes[view[quotes - 1] != _BACKSLASH]
    return quotes if quotes.size else None


def _has_control(data: bytes, lines: int) -> bool:
    """Whether there are control characters beside the newlines of so many lines."""
    if kernels.PRESENT:
        return kernels.has_control(data)
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) < _FIRST_PRINTABLE)) != lines


def _flat(lines: _Lines, plan: Plan, model: Row) -> _Alike | None:
    """Rows of texts alone."""
    count = _OF_TEXT * len(plan.columns)
    if model.keys() != plan.columns.keys() or (np.diff(lines.firsts) != count).any():
        return None
    quotes = lines.quotes.reshape(-1, count)
    begins, ends = quotes[:, 2::_OF_TEXT] + 1, quotes[:, 3::_OF_TEXT]
    froms = np.column_stack((lines.begins, ends))
    tos = np.column_stack((begins, lines.ends + 1))
    if not all(lines.alike(froms[:, place], tos[:, place], 0) for place in range(froms.shape[1])):
        return None
    if not _ends_with_brace(lines):
        return None
    columns = ((place, Pieces(lines.stretch, begins[:, place], ends[:, place])) for place in range(len(model)))
    return _Alike(0, dict(columns))


def _ends_with_brace(lines: _Lines) -> bool:
    """Whether the first line does, which all others are like: nothing may stand behind a row that is kept as it is."""
    line = lines.line(0)
    return line.startswith(b"{") and line.endswith(b"}")


def _talk(lines: _Lines, names: Turns) -> _Alike | None:
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
    values = {quote: Pieces(lines.stretch, quotes[:, quote] + 1, quotes[:, quote + 1]) for quote in order}
    return _Alike(row, values, offsets)


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


def _unescaped(data: bytes, values: list[Pieces]) -> tuple[list[Pieces], list[Digests]] | None:
    """The same with what is escaped written out, behind the block's own bytes; and the digests of what stands there."""
    if b"\\" not in data:
        hashed = [pieces.hashed() for pieces in values]
        return hashed, [pieces.digests() for pieces in hashed]
    escaped = [np.flatnonzero(_with_escapes(data, pieces)) for pieces in values]
    try:
        written = [_written(pieces.at(places)) for pieces, places in zip(values, escaped, strict=True)]
    except orjson.JSONDecodeError:
        return None
    stretch = Stretch(b"".join((data, *(text for texts in written for text in texts))))
    found, digests, end = [], [], len(data)
    for pieces, places, texts in zip(values, escaped, written, strict=True):
        sizes = np.fromiter(map(len, texts), np.int64, len(texts))
        begins, ends = pieces.begins.copy(), pieces.ends.copy()
        ends[places] = end + np.cumsum(sizes)
        begins[places] = ends[places] - sizes
        found.append(Pieces(stretch, begins, ends).hashed())
        digests.append(found[-1].digests().copy())
        digests[-1][places] = pieces.at(places).digests()
        end += int(sizes.sum())
    return found, digests


def _with_escapes(data: bytes, pieces: Pieces) -> Flags:
    escapes = np.flatnonzero(np.frombuffer(data, np.uint8) == _BACKSLASH)
    return escapes.searchsorted(pieces.ends) > escapes.searchsorted(pieces.begins)


def _written(pieces: Pieces) -> Sequence[bytes]:
    return [orjson.loads(b'"%b"' % text).encode() for text in pieces.each()]
