"""Digests of 64 bits, of many pieces of bytes at once.

They are good within one process: their keys are taken by chance when it begins, so nobody can make pieces of which two
have one digest.
"""

from __future__ import annotations

import secrets
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from dataset_svc import kernels
from dataset_svc.checks.arrays import Digests, Groups, Numbers, Places

if TYPE_CHECKING:
    from dataset_svc.checks.pieces import Stretch

WORD = 8
GROUP = 32  # bytes that are taken from a place at once
_GROUP = GROUP // WORD
SHORT = 256  # bytes: the interpreter's own keyed hash is faster from here on
_TOGETHER = 1 << 13  # pieces at once: what is made of them stays in the processor's cache
_FIRST, _SECOND, _SIZE, _PLACE = (np.uint64(secrets.randbits(64) | 1) for _ in range(4))
_KEYS = np.array([_FIRST, _SECOND, _SIZE])
_HALF, _LESS = np.uint64(32), np.uint64(29)
MASKS = np.array([(1 << 8 * size) - 1 for size in range(WORD + 1)], np.uint64)


def digest_of(value: bytes) -> int:
    """64 bits of a value, never 0: those that `digests_of` gives for a piece that is longer than SHORT."""
    if kernels.PRESENT:
        return int(_by_kernel(value, np.zeros(1, np.int64), np.array([len(value)]))[0])
    return hash(value) & 0xFFFF_FFFF_FFFF_FFFF or 1


def digests_of(stretch: Stretch, begins: Places, ends: Places) -> Digests:
    """64 bits of each piece of the stretch, never 0; equal for equal pieces."""
    if kernels.PRESENT:
        return _by_kernel(stretch.data, begins, ends)
    sizes = ends - begins
    found = np.empty(len(sizes), np.uint64)
    short = sizes <= SHORT
    if short.all():
        _fill(found, stretch.groups, begins, sizes)
        return found
    places = np.flatnonzero(short)
    of_short = np.empty(len(places), np.uint64)
    _fill(of_short, stretch.groups, begins[places], sizes[places])
    found[places] = of_short
    long = np.flatnonzero(~short)
    found[long] = _hashed(stretch.data, begins[long].tolist(), ends[long].tolist())
    return found


def _by_kernel(data: bytes, begins: Places, ends: Places) -> Digests:
    return kernels.digests(data, begins, ends, _KEYS)


def _hashed(data: bytes, begins: list[int], ends: list[int]) -> Digests:
    pieces = map(data.__getitem__, map(slice, begins, ends))
    found = np.fromiter(map(hash, pieces), np.int64, len(begins)).view(np.uint64)
    found[found == 0] = 1
    return found


def _fill(found: Digests, groups: Groups, begins: Places, sizes: Numbers) -> None:
    for begin in range(0, len(found), _TOGETHER):
        some = slice(begin, begin + _TOGETHER)
        found[some] = _digests(groups, begins[some], sizes[some])


def _digests(groups: Groups, begins: Places, sizes: Numbers) -> Digests:
    """Takes in the first word of all pieces, then the second of those that have it, and so on; the last one of each is
    what is left of it, perhaps nothing."""
    whole = sizes // WORD
    order = np.argsort((SHORT // WORD - whole).astype(np.uint8), kind="stable")  # those of the most words first
    places, sizes = begins[order], sizes[order]
    states = sizes.astype(np.uint64) * _SIZE
    masks, room = MASKS[sizes % WORD], np.empty(len(sizes), np.uint64)
    longer = len(whole) - np.cumsum(np.bincount(whole))  # how many have more than so many words
    count = len(whole)
    for number, left in enumerate(longer.tolist()):
        if number % _GROUP == 0:
            # Taking several words at once takes no longer than one.
            words = groups[places[:count] + number * WORD].view(np.uint64).reshape(-1, _GROUP)
        more = words[:count, number % _GROUP]
        more[left:] &= masks[left:count]
        _take_in(states[:count], more, room[:count])
        count = left
    found = np.empty(len(whole), np.uint64)
    found[order] = ended(states)
    return found


def _take_in(states: Digests, more: Digests | np.uint64, room: Digests) -> None:
    states ^= more
    states *= _FIRST
    np.right_shift(states, _HALF, out=room)
    states ^= room
    states *= _SECOND


def ended(states: Digests) -> Digests:
    """Digests of what was taken in: every bit hangs on all of it, and none is 0."""
    states ^= states >> _LESS
    states *= _FIRST
    states ^= states >> _HALF
    states[states == 0] = 1
    return states


def factors(count: int) -> Digests:
    """For each place among parts of a whole the number by which the digest of what stands there counts."""
    return _factors(max(64, 1 << (count - 1).bit_length()))[:count]


@lru_cache(maxsize=1)
def _factors(count: int) -> Digests:
    numbers = np.arange(1, count + 1, dtype=np.uint64) * _PLACE
    _take_in(numbers, np.uint64(0), np.empty_like(numbers))
    return ended(numbers)


def whole_of(sums: Digests, counts: Numbers) -> Digests:
    """Digests of wholes, from the sums of their parts' digests times `factors`, and the number of parts."""
    return ended(sums + counts.astype(np.uint64) * _SIZE)
