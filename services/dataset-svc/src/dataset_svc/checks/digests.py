"""Sets and maps of 64-bit digests in flat arrays: 16 bytes a place at most, and never more than a stated number.

Each takes one digest, or an array of them in order: both ways give and remember the same.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from dataset_svc.checks.arrays import Digests, Flags

_FIRST_SIZE = 1 << 10
_PART = 1 << 15
_SLOT_SHIFT = 48


class DigestMap:
    """Remembers the first `limit` keys with a number each; what comes later is looked up and not added."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._count = 0
        self._keys = _zeros(_FIRST_SIZE)
        self._values = _zeros(_FIRST_SIZE)

    @property
    def full(self) -> bool:
        """Whether further keys are not remembered."""
        return self._count >= self._limit

    def put(self, key: int, value: int) -> int | None:
        """The value that `key` had already; None where it is new."""
        place = _place(self._keys, key)
        if self._keys[place]:
            return self._values[place]
        if not self.full:
            self._keys[place], self._values[place] = key, value
            self._count += 1
            self._grow(_size_for(self._count, len(self._keys)))
        return None

    def put_all(self, keys: Digests, values: Digests) -> Digests:
        """As `put` one by one; 0 stands for None, and no value may be 0."""
        if self._limit - self._count < len(keys) and not self.full:
            one_by_one = (self.put(key, value) or 0 for key, value in zip(keys.tolist(), values.tolist(), strict=True))
            return np.fromiter(one_by_one, np.uint64, len(keys))
        places = _places(_view(self._keys), keys)
        known = _view(self._keys)[places] != 0
        earlier = _view(self._values)[places]  # 0 where there is none
        if self.full:
            return earlier
        firsts = _first_equal(keys)
        is_first = firsts == np.arange(len(keys))
        later = ~known & ~is_first
        earlier[later] = values[firsts[later]]
        new = ~known & is_first
        self._insert(keys[new], values[new])
        return earlier

    def _insert(self, keys: Digests, values: Digests) -> None:
        self._count += len(keys)
        self._grow(_size_for(self._count, len(self._keys)))
        _view(self._values)[_inserted(self._keys, keys)] = values

    def _grow(self, size: int) -> None:
        if size > len(self._keys):
            old, old_values = _view(self._keys), _view(self._values)
            self._keys, self._values = _zeros(size), _zeros(size)
            for part in _parts(old):
                places = _inserted(self._keys, old[part])
                _view(self._values)[places] = old_values[part]


class DigestSet:
    """Remembers the first `limit` digests."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._count = 0
        self._keys = _zeros(_FIRST_SIZE)

    def __iter__(self) -> Iterator[int]:
        return (key for key in self._keys if key)

    def __contains__(self, key: int) -> bool:
        return self._keys[_place(self._keys, key)] != 0

    def add(self, key: int) -> bool:
        """Whether it was there already."""
        place = _place(self._keys, key)
        if self._keys[place]:
            return True
        if self._count < self._limit:
            self._keys[place] = key
            self._count += 1
            self._grow(_size_for(self._count, len(self._keys)))
        return False

    def add_all(self, keys: Digests) -> Flags:
        """As `add` one by one."""
        if self._limit - self._count < len(keys) and self._count < self._limit:
            return np.fromiter(map(self.add, keys.tolist()), np.bool_, len(keys))
        known = _known(self._keys, keys)
        if self._count >= self._limit:
            return known
        repeated: Flags = known | (_first_equal(keys) != np.arange(len(keys)))
        new = keys[~repeated]
        self._count += len(new)
        self._grow(_size_for(self._count, len(self._keys)))
        _inserted(self._keys, new)
        return repeated

    def _grow(self, size: int) -> None:
        if size > len(self._keys):
            old, self._keys = _view(self._keys), _zeros(size)
            for part in _parts(old):
                _inserted(self._keys, old[part])


def _first_equal(keys: Digests) -> npt.NDArray[np.int64]:
    """For each key the place of the first that is equal to it. Sorting them would take several times as long."""
    order = np.arange(len(keys))
    slots = (keys >> np.uint64(_SLOT_SHIFT)).astype(np.int64)
    owners = np.zeros(1 << (64 - _SLOT_SHIFT), np.int64)
    owners[slots[::-1]] = order[::-1]  # of several, the last that is written stays
    firsts = owners[slots]
    others = np.flatnonzero(keys[firsts] != keys)
    if others.size:
        _, some, which = np.unique(keys[others], return_index=True, return_inverse=True)
        firsts[others] = others[some[which]]
    return firsts


def _zeros(size: int) -> array[int]:
    return array("Q", (0,)) * size


def _view(numbers: array[int]) -> Digests:
    return np.frombuffer(numbers, np.uint64)


def _parts(table: Digests) -> Iterator[npt.NDArray[np.int64]]:
    """The places of the digests in a table, some at a time: what is done with them takes several times their memory."""
    for begin in range(0, len(table), _PART):
        yield begin + np.flatnonzero(table[begin : begin + _PART])


def _size_for(count: int, size: int) -> int:
    """With at least half of the places free: with fewer, looking for one takes several times as long."""
    while count * 2 > size:
        size *= 2
    return size


def _place(keys: array[int], key: int) -> int:
    """Where the key stands, or would; at least half of the places are free."""
    mask = len(keys) - 1
    place = key & mask
    while (found := keys[place]) and found != key:
        place = (place + 1) & mask
    return place


def _places(table: Digests, keys: Digests) -> npt.NDArray[np.int64]:
    """`_place` of each key."""
    mask = len(table) - 1
    places = (keys & np.uint64(mask)).astype(np.int64)
    left = np.arange(len(keys))
    while left.size:
        found = table[places[left]]
        left = left[(found != 0) & (found != keys[left])]
        places[left] = (places[left] + 1) & mask
    return places


def _known(keys: array[int], wanted: Digests) -> Flags:
    table = _view(keys)
    found: Flags = table[_places(table, wanted)] != 0
    return found


def _inserted(keys: array[int], new: Digests) -> npt.NDArray[np.int64]:
    """Where the new, distinct keys stand now."""
    table = _view(keys)
    places, left = np.zeros(len(new), np.int64), np.arange(len(new))
    while left.size:
        # Of several keys that find the same place free, one gets it; the others look on.
        places[left] = _places(table, new[left])
        table[places[left]] = new[left]
        left = left[table[places[left]] != new[left]]
    return places
