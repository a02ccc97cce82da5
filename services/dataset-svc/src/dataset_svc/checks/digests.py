"""Sets and maps of 64-bit digests in flat arrays: 16 bytes a place at most, and never more than a stated number.

Each takes one digest, or an array of them in order: both ways give and remember the same.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dataset_svc import kernels
from dataset_svc.checks.arrays import Digests, Flags, Places

_FIRST_SIZE, _GROWTH = 1 << 10, 4
_PART = 1 << 15
_SLOT_BITS, _SLOTS_EACH = 16, 8


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
        if kernels.PRESENT:
            self._grow(_size_for(min(self._count + len(keys), self._limit), len(self._keys)))
            table, kept = _view(self._keys), _view(self._values)
            self._count, earlier = kernels.put(table, kept, self._count, self._limit, keys, values)
            return earlier
        if self._limit - self._count < len(keys) and not self.full:
            one_by_one = (self.put(key, value) or 0 for key, value in zip(keys.tolist(), values.tolist(), strict=True))
            return np.fromiter(one_by_one, np.uint64, len(keys))
        places, known = _places(_view(self._keys), keys)
        met = np.flatnonzero(known)
        earlier = np.zeros(len(keys), np.uint64)
        earlier[met] = _view(self._values)[places[met]]
        if self.full:
            return earlier
        firsts = _first_equal(keys)
        is_first = firsts == np.arange(len(keys))
        later = ~known & ~is_first
        earlier[later] = values[firsts[later]]
        new = ~known & is_first
        self._insert(keys[new], values[new], places[new])
        return earlier

    def _insert(self, keys: Digests, values: Digests, places: Places) -> None:
        """`places`: where they would stand in the table as it is."""
        self._count += len(keys)
        grown = self._grow(_size_for(self._count, len(self._keys)))
        _view(self._values)[_inserted(self._keys, keys, None if grown else places)] = values

    def _grow(self, size: int) -> bool:
        if size == len(self._keys):
            return False
        old, old_values = _view(self._keys), _view(self._values)
        self._keys, self._values = _zeros(size), _zeros(size)
        for part in _parts(old):
            places = _inserted(self._keys, old[part])
            _view(self._values)[places] = old_values[part]
        return True


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
        if kernels.PRESENT:
            self._grow(_size_for(min(self._count + len(keys), self._limit), len(self._keys)))
            self._count, earlier = kernels.put(_view(self._keys), None, self._count, self._limit, keys, None)
            return earlier.astype(np.bool_)
        if self._limit - self._count < len(keys) and self._count < self._limit:
            return np.fromiter(map(self.add, keys.tolist()), np.bool_, len(keys))
        places, known = _places(_view(self._keys), keys)
        if self._count >= self._limit:
            return known
        repeated: Flags = known | (_first_equal(keys) != np.arange(len(keys)))
        new = ~repeated
        self._count += int(np.count_nonzero(new))
        grown = self._grow(_size_for(self._count, len(self._keys)))
        _inserted(self._keys, keys[new], None if grown else places[new])
        return repeated

    def _grow(self, size: int) -> bool:
        if size == len(self._keys):
            return False
        old, self._keys = _view(self._keys), _zeros(size)
        for part in _parts(old):
            _inserted(self._keys, old[part])
        return True


def _first_equal(keys: Digests) -> Places:
    """For each key the place of the first that is equal to it. Sorting them would take several times as long."""
    order = np.arange(len(keys))
    bits = min(_SLOT_BITS, (_SLOTS_EACH * len(keys)).bit_length())
    slots = (keys >> np.uint64(64 - bits)).astype(np.int64)
    owners = np.zeros(1 << bits, np.int64)
    owners[slots[::-1]] = order[::-1]  # of several, the last that is written stays
    firsts = owners[slots]
    others = np.flatnonzero(keys[firsts] != keys)
    if others.size:
        _, some, which = np.unique(keys[others], return_index=True, return_inverse=True)
        firsts[others] = others[some[which]]
    return firsts


def _zeros(size: int) -> memoryview[int]:
    """numpy asks for large pages, on which places all over a table are found in less time; a view of its numbers gives
    single ones as fast as an array of the interpreter does."""
    return np.zeros(size, np.uint64).data


def _view(numbers: memoryview[int]) -> Digests:
    return np.frombuffer(numbers, np.uint64)


def _parts(table: Digests) -> Iterator[Places]:
    """The places of the digests in a table, some at a time: what is done with them takes several times their memory."""
    for begin in range(0, len(table), _PART):
        yield begin + np.flatnonzero(table[begin : begin + _PART])


def _size_for(count: int, size: int) -> int:
    """With at least half of the places free: with fewer, looking for one takes several times as long."""
    while count * 2 > size:
        size *= _GROWTH
    return size


def _place(keys: memoryview[int], key: int) -> int:
    """Where the key stands, or would; at least half of the places are free."""
    mask = len(keys) - 1
    place = key & mask
    while (found := keys[place]) and found != key:
        place = (place + 1) & mask
    return place


def _places(table: Digests, keys: Digests) -> tuple[Places, Flags]:
    """`_place` of each key, and whether it stands there."""
    mask = len(table) - 1
    places = (keys & np.uint64(mask)).view(np.int64)
    found = table[places]
    left = np.flatnonzero((found != 0) & (found != keys))
    while left.size:
        tried = (places[left] + 1) & mask
        met = table[tried]
        places[left], found[left] = tried, met
        left = left[(met != 0) & (met != keys[left])]
    return places, found != 0


def _inserted(keys: memoryview[int], new: Digests, places: Places | None = None) -> Places:
    """Where the new, distinct keys stand now. `places`: where they would have stood before, if that is known."""
    table = _view(keys)
    if places is None:
        places, _ = _places(table, new)
    left = np.arange(len(new))
    while left.size:
        # Of several keys that find the same place free, one gets it; the others look on.
        table[places[left]] = new[left]
        left = left[table[places[left]] != new[left]]
        places[left], _ = _places(table, new[left])
    return places
