"""In which script rows are written, for many short ones at once."""

from __future__ import annotations

from collections import Counter
from functools import cache

import numpy as np

from dataset_svc import kernels
from dataset_svc.checks import scripts
from dataset_svc.checks.arrays import Digests, Numbers, Places
from dataset_svc.checks.pieces import Pieces
from dataset_svc.checks.scripts import READ

LONGEST = 1000
"""Of a row in bytes: a longer one may have more characters than are looked at, and then their order matters."""

_FIRST_LEAD = -64  # a byte as a signed number: those that go on with a character are less
_MOST_BYTES = 4 * READ

_TOGETHER, _LONG_TOGETHER = 256, 64  # texts at once: what is made of their bytes takes twelve times as much memory

# How many of each kind a row has, in so many bits of one number: with at most 1,000 bytes none runs over.
_KINDS = ("latin", "arabic", "other", "foreign", "persian", "not_persian", "shared")
_BITS = dict(zip(_KINDS, (10, 9, 9, 9, 9, 9, 9), strict=True))


def scripts_of_short(columns: list[tuple[Pieces, Places | None]], rows: Places) -> Counter[str]:
    """Of these rows, by the texts in their columns: one in each row, or those between the offsets given."""
    if not len(rows):
        return Counter()
    if kernels.PRESENT:
        found = np.zeros((len(rows), kernels.KINDS), np.int64)
        for pieces, offsets in columns:
            found += _by_kernel(pieces, rows, offsets)
        return _named(dict(zip(_KINDS, found.T, strict=True)))
    totals = np.zeros(len(rows), np.uint64)
    for pieces, offsets in columns:
        totals += _counts(pieces, rows, offsets)
    return _named({kind: _of(totals, kind) for kind in _KINDS})


def scripts_of_long(pieces: Pieces, offsets: Places | None, rows: Places) -> Counter[str]:
    """The same of rows of any length that have texts in this one column alone."""
    if kernels.PRESENT:
        return _named(dict(zip(_KINDS, _by_kernel(pieces, rows, offsets).T, strict=True)))
    firsts, lasts = _first_and_last(rows, offsets)
    texts = [_begun(pieces, *both) for both in zip(firsts.tolist(), lasts.tolist(), strict=True)]
    found: Counter[str] = Counter()
    for begin in range(0, len(texts), _LONG_TOGETHER):
        totals = _totals_of_begun(texts[begin : begin + _LONG_TOGETHER])
        found += _named({kind: _of(totals, kind).sum(axis=1) for kind in _KINDS})
    return found


def _first_and_last(rows: Places, offsets: Places | None) -> tuple[Places, Places]:
    return (rows, rows + 1) if offsets is None else (offsets[rows], offsets[rows + 1])


def _by_kernel(pieces: Pieces, rows: Places, offsets: Places | None) -> Numbers:
    """How many of each kind the first characters of these rows have."""
    shifts = np.array([*map(_shift, _KINDS), 64], np.uint64)
    both, stretch = _first_and_last(rows, offsets), pieces.stretch
    return kernels.kinds(stretch.data, (pieces.begins, pieces.ends), both, READ, _by_first(), shifts)


def _begun(pieces: Pieces, first: int, last: int) -> bytes:
    """These pieces put together, as much of them as has all the characters that are looked at."""
    text, data = b"", pieces.stretch.data
    for begin, end in zip(pieces.begins[first:last].tolist(), pieces.ends[first:last].tolist(), strict=True):
        text += data[begin : min(end, begin + _MOST_BYTES)]
        if len(text) >= _MOST_BYTES:
            break
    return text[:READ] if text.isascii() else text[:_MOST_BYTES]


def _totals_of_begun(texts: list[bytes]) -> Digests:
    """What the first characters of each text count for, in parts of LONGEST bytes."""
    joined, begins, ends = _joined(texts)
    characters = np.cumsum(np.frombuffer(joined, np.int8) >= _FIRST_LEAD, dtype=np.int32)
    past = characters.searchsorted(characters[begins] + READ)  # where the first one stands that is not looked at
    bounds = begins[:, None] + np.arange(0, _MOST_BYTES + 1, LONGEST)
    bounds = np.minimum(bounds, np.minimum(past, ends)[:, None])
    totals: Digests = np.add.reduceat(_kinds(joined), bounds.ravel()).reshape(bounds.shape)[:, :-1]
    totals[bounds[:, :-1] == bounds[:, 1:]] = 0
    return totals


def _counts(pieces: Pieces, rows: Places, offsets: Places | None) -> Digests:
    if offsets is None:
        return _totals(list(pieces.at(rows).each()))
    counts = offsets[rows + 1] - offsets[rows]
    sums = _summed(_totals(list(pieces.at(_spread(offsets[rows], counts)).each())))
    ends = np.cumsum(counts)
    found: Digests = sums[ends] - sums[ends - counts]
    return found


def _totals(texts: list[bytes]) -> Digests:
    """What the bytes of each text count for; none of them has more than LONGEST."""
    found = np.empty(len(texts), np.uint64)
    for begin in range(0, len(texts), _TOGETHER):
        joined, begins, ends = _joined(texts[begin : begin + _TOGETHER])
        totals = np.add.reduceat(_kinds(joined), begins)
        totals[begins == ends] = 0
        found[begin : begin + _TOGETHER] = totals
    return found


def _joined(texts: list[bytes]) -> tuple[bytes, Places, Places]:
    """All of them, with what `_kinds` needs behind them, and from where to where each one stands."""
    ends = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))
    return b"".join((*texts, b"\0\0")), np.concatenate(([0], ends[:-1])), ends


def _kinds(joined: bytes) -> Digests:
    """What each byte but the last counts for."""
    return _table().take(np.ndarray((len(joined) - 1,), "<u2", joined, strides=(1,)))


def _summed(numbers: Digests) -> Digests:
    """The sum of those before each place, and of all."""
    return np.concatenate((np.zeros(1, np.uint64), np.cumsum(numbers)))


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
def _by_first() -> Digests:
    """The same by the byte itself times 256 and the one behind it: what a text needs of it stands together."""
    return np.ascontiguousarray(_table().reshape(256, 256).T)


@cache
def _table() -> Digests:
    """What a byte counts for, by the one behind it times 256 and itself."""
    table = np.zeros(1 << 16, np.uint64)
    for kind, firsts in (
        ("arabic", scripts.ARABIC_SCRIPT),
        ("latin", scripts.LATIN_LETTERS),
        ("other", scripts.OTHER_LETTERS),
    ):
        for first in firsts:
            table[first::256] += np.uint64(1 << _shift(kind))
    for kind, letters in (
        ("foreign", scripts.FOREIGN),
        ("persian", scripts.PERSIAN_ALONE),
        ("not_persian", scripts.ARABIC_ALONE),
        ("shared", "یک"),
    ):
        for letter in letters:
            table[int.from_bytes(letter.encode(), "little")] += np.uint64(1 << _shift(kind))
    return table
