"""In which script rows are written, for many short ones at once."""

from __future__ import annotations

from collections import Counter
from functools import cache

import numpy as np

from dataset_svc.checks import scripts
from dataset_svc.checks.arrays import Digests, Numbers, Places
from dataset_svc.checks.pieces import Pieces

LONGEST = 1000
"""Of a row in bytes: a longer one may have more characters than are looked at, and then their order matters."""

_MOST_BYTES = 4 * LONGEST  # of as many characters

# How many of each kind a row has, in so many bits of one number: with at most 1,000 bytes none runs over.
_KINDS = ("latin", "arabic", "other", "foreign", "persian", "not_persian", "shared")
_BITS = dict(zip(_KINDS, (10, 9, 9, 9, 9, 9, 9), strict=True))


def scripts_of_short(columns: list[tuple[Pieces, Places | None]], rows: Places) -> Counter[str]:
    """Of these rows, by the texts in their columns: one in each row, or those between the offsets given."""
    totals = np.zeros(len(rows), np.uint64)
    for pieces, offsets in columns:
        totals += _counts(pieces, rows, offsets)
    return _named({kind: _of(totals, kind) for kind in _KINDS})


def scripts_of_long(pieces: Pieces, offsets: Places | None, rows: Places) -> Counter[str]:
    """The same of rows of any length that have texts in this one column alone."""
    found: Counter[str] = Counter()
    for row in rows.tolist():
        first, last = (row, row + 1) if offsets is None else (int(offsets[row]), int(offsets[row + 1]))
        found[scripts.script_of(_begun(pieces, first, last))] += 1
    return found


def _begun(pieces: Pieces, first: int, last: int) -> str:
    """The first characters of these pieces, put together."""
    text, view = b"", pieces.stretch.view
    for place in range(first, last):
        begin, end = int(pieces.begins[place]), int(pieces.ends[place])
        text += view[begin : min(end, begin + _MOST_BYTES)].tobytes()
        if len(text) >= _MOST_BYTES:
            break
    return text.decode("utf-8", "ignore")


def _counts(pieces: Pieces, rows: Places, offsets: Places | None) -> Digests:
    if offsets is not None:
        counts = offsets[rows + 1] - offsets[rows]
        ends = np.cumsum(counts)
        pieces = pieces.at(_spread(offsets[rows], counts))
    else:
        ends = np.arange(1, len(rows) + 1)
        pieces = pieces.at(rows)
    places = _spread(pieces.begins, pieces.sizes)
    view = pieces.stretch.view
    kinds = _table()[view[places].astype(np.uint16) << 8 | view[places + 1]]
    sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(kinds)))
    bounds = np.concatenate(([0], np.cumsum(pieces.sizes)))[np.concatenate(([0], ends))]
    found: Digests = np.diff(sums[bounds])
    return found


def _spread(begins: Places, counts: Numbers) -> Places:
    """All places of stretches that begin there and are so long."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    places: Places = np.arange(total) + np.repeat(begins - (ends - counts), counts)
    return places


def _of(totals: Digests, kind: str) -> Numbers:
    mask = np.uint64((1 << _BITS[kind]) - 1)
    found: Numbers = (totals >> np.uint64(_shift(kind)) & mask).astype(np.int64)
    return found


def _shift(kind: str) -> int:
    return sum(_BITS[before] for before in _KINDS[: _KINDS.index(kind)])


def _named(counts: dict[str, Numbers]) -> Counter[str]:
    """The rules of `script_of`, for all rows at once."""
    letters = counts["arabic"] + counts["latin"] + counts["other"]
    enough = scripts.MAINLY * letters
    foreign = counts["foreign"] >= scripts.FOREIGN_SHARE * counts["arabic"]
    persian = ~foreign & ((counts["persian"] > 0) | (counts["shared"] >= counts["not_persian"]))
    left = np.ones(len(letters), np.bool_)
    found: Counter[str] = Counter()
    for name, fits in (
        (scripts.NONE, letters == 0),
        (scripts.PERSIAN, (counts["arabic"] >= enough) & persian),
        (scripts.OTHER_ARABIC, counts["arabic"] >= enough),
        (scripts.LATIN, counts["latin"] >= enough),
        (scripts.OTHER, counts["other"] >= enough),
        (scripts.MIXED, left.copy()),
    ):
        number = int(np.count_nonzero(left & fits))
        left &= ~fits
        if number:
            found[name] = number
    return found


@cache
def _table() -> Digests:
    """What a byte counts for, by itself and the one behind it."""
    table = np.zeros(1 << 16, np.uint64)
    for kind, firsts in (
        ("arabic", scripts.ARABIC_SCRIPT),
        ("latin", scripts.LATIN_LETTERS),
        ("other", scripts.OTHER_LETTERS),
    ):
        for first in firsts:
            table[first << 8 : (first + 1) << 8] += np.uint64(1 << _shift(kind))
    for kind, letters in (
        ("foreign", scripts.FOREIGN),
        ("persian", scripts.PERSIAN_ALONE),
        ("not_persian", scripts.ARABIC_ALONE),
        ("shared", "یک"),
    ):
        for letter in letters:
            table[int.from_bytes(letter.encode())] += np.uint64(1 << _shift(kind))
    return table
