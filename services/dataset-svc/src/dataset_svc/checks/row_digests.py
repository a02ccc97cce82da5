"""Digests of rows: by the kernels those of their bytes; else put together from those of the stretches between quotes.

What a row's quotes enclose are its texts, whose digests are needed anyway: so numpy goes through nothing twice.
"""

from __future__ import annotations

from itertools import compress

import numpy as np

from dataset_svc import kernels
from dataset_svc.checks.arrays import Digests, Numbers, Places
from dataset_svc.checks.hashing import digest_of, digests_of, factors, whole_of
from dataset_svc.checks.pieces import Pieces

_QUOTE, _BACKSLASH = b'"'[0], b"\\"[0]
LONG = 1 << 16
"""Bytes: a longer row is taken as one, for it may be of quotes alone."""
_OF_TEXT, _UNTIL_TEXT = 4, 3  # parts: of a name and a text, and before a row's first text
_OF_TURN, _BEFORE = 8, 3  # of a turn, and before a row's first turn
_TOGETHER = 1 << 17  # bytes of rows at once, each of which may be a quote


def row_digests(rows: Pieces) -> Digests:
    """64 bits of each row, never 0; equal for equal rows. A row is an object's JSON."""
    if kernels.PRESENT:
        return rows.digests()  # in less time than to put them together
    found = np.zeros(len(rows), np.uint64)
    totals = np.cumsum(rows.sizes)
    begin = 0
    while begin < len(found):
        before = int(totals[begin - 1]) if begin else 0
        end = max(begin + 1, int(totals.searchsorted(before + _TOGETHER, "right")))
        if totals[end - 1] - before <= _TOGETHER:  # else it is one long row
            found[begin:end] = combined(*parts_of(rows.at(slice(begin, end))))
        begin = end
    for place in np.flatnonzero(rows.sizes > LONG).tolist():
        found[place] = digest_of(next(rows.at(slice(place, place + 1)).each()))
    return found


def digests_of_lines(lines: list[bytes]) -> Digests:
    """`row_digests(Pieces.of(lines))`, of which those that are long are not copied."""
    found = np.zeros(len(lines), np.uint64)
    long = np.array([len(line) > LONG for line in lines], np.bool_)
    found[long] = [digest_of(line) for line in compress(lines, long)]
    found[~long] = row_digests(Pieces.of(compress(lines, ~long)))
    return found


def parts_of(rows: Pieces) -> tuple[Digests, Numbers]:
    """Digests of what stands before, between and behind the quotes of each row, and how many of these a row has."""
    stretch = rows.stretch
    first, last = int(rows.begins[0]), int(rows.ends[-1])
    quotes = first + np.flatnonzero(stretch.view[first:last] == _QUOTE)
    # A row begins with a brace: what stands before a quote is the same row's.
    quotes = quotes[stretch.view[quotes - 1] != _BACKSLASH]
    firsts = quotes.searchsorted(rows.begins)
    counts = quotes.searchsorted(rows.ends) - firsts + 1
    begins, ends = _bounds(rows, quotes, firsts, counts)
    return digests_of(stretch, begins, ends), counts


def _bounds(rows: Pieces, quotes: Places, firsts: Places, counts: Numbers) -> tuple[Places, Places]:
    """Of what stands before, between and behind the quotes of each row."""
    behind = np.cumsum(counts)
    inner = np.arange(behind[-1]) - np.repeat(behind - counts - firsts, counts)  # the quote that ends each part
    inner[behind - 1] -= 1  # but the last of a row, which has none
    ends = quotes[inner] if quotes.size else rows.ends.copy()
    ends[behind - 1] = rows.ends
    begins = np.concatenate((ends[:1], ends[:-1])) + 1
    begins[behind - counts] = rows.begins
    return begins, ends


def combined(parts: Digests, counts: Numbers) -> Digests:
    """Digests of rows of so many parts each, at least one, from those of the parts."""
    firsts = np.cumsum(counts) - counts
    places = np.arange(len(parts)) - np.repeat(firsts, counts)
    return whole_of(np.add.reduceat(parts * factors(int(counts.max()))[places], firsts), counts)


def flat_rows(model: Pieces, texts: list[Digests]) -> Digests:
    """Digests of rows that are like `model`, but for these texts: each the last of four parts, before one more."""
    parts, counts = parts_of(model)
    times = factors(len(parts))
    constant = parts * times
    constant[_UNTIL_TEXT::_OF_TEXT] = 0
    sums = np.full(len(texts[0]), constant.sum())
    for digests, factor in zip(texts, times[_UNTIL_TEXT::_OF_TEXT], strict=True):
        sums += digests * factor
    return whole_of(sums, np.repeat(counts, len(sums)))


def talk_rows(model: Pieces, offsets: Places, values: dict[int, Digests]) -> Digests:
    """Digests of rows that are one conversation and like `model`, but for how many turns they have, and for what is
    said in them: `values` of all turns, by the number of the quote of a turn that they stand behind."""
    turns = np.diff(offsets)
    counts = turns * _OF_TURN + _BEFORE
    firsts = np.cumsum(counts) - counts
    places = np.arange(counts.sum()) - np.repeat(firsts, counts)
    alike, _ = parts_of(model)
    parts = alike[np.where(places < _BEFORE, places, (places - _BEFORE) % _OF_TURN + _BEFORE)]
    parts[firsts + counts - 1] = alike[-1]
    rows = np.repeat(np.arange(len(turns)), turns)
    begins = np.arange(len(rows)) * _OF_TURN + (rows + 1) * _BEFORE
    for quote, digests in values.items():
        parts[begins + quote] = digests
    return combined(parts, counts)
