"""Sets and maps of 64-bit digests in flat arrays: 16 bytes an entry at most, and never more than a stated number."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

_FIRST_SIZE = 1 << 10


def digest_of(value: str | bytes) -> int:
    """64 bits of the value, never 0; good within one process."""
    return hash(value) & 0xFFFF_FFFF_FFFF_FFFF or 1


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
            if self._count * 2 > len(self._keys):
                self._grow()
        return None

    def _grow(self) -> None:
        keys, values = _zeros(len(self._keys) * 2), _zeros(len(self._keys) * 2)
        for key, value in zip(self._keys, self._values, strict=True):
            if key:
                place = _place(keys, key)
                keys[place], values[place] = key, value
        self._keys, self._values = keys, values


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
            if self._count * 2 > len(self._keys):
                self._grow()
        return False

    def _grow(self) -> None:
        keys = _zeros(len(self._keys) * 2)
        for key in self:
            keys[_place(keys, key)] = key
        self._keys = keys


def _zeros(size: int) -> array[int]:
    return array("Q", bytes(8 * size))


def _place(keys: array[int], key: int) -> int:
    """Where the key stands, or would; at least half of the places are free."""
    mask = len(keys) - 1
    place = key & mask
    while (found := keys[place]) and found != key:
        place = (place + 1) & mask
    return place
