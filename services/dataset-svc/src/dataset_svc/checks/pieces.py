"""Pieces of one stretch of bytes, looked at together: their digests, their lengths in characters, how they begin.

Everything is done for all pieces at once by numpy, which takes little time for each and lets other threads go on.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np
import numpy.typing as npt

Digests = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

_WORD = 8
_BATCH = 1 << 14  # words at once: what is made of them stays in the processor's cache
_LONG = _BATCH * _WORD
# Good within one process: nobody can make pieces of which two have one digest.
_PLACE, _FIRST, _SECOND, _SIZE = (np.uint64(secrets.randbits(64) | 1) for _ in range(4))
_HALF, _LESS = np.uint64(32), np.uint64(29)
_MASKS = np.array([(1 << 8 * size) - 1 for size in range(_WORD + 1)], np.uint64)


class Stretch:
    """Bytes that any word of eight bytes can be taken from, beginning wherever it may."""

    def __init__(self, data: bytes) -> None:
        self.size = len(data)
        self.view: Bytes = np.frombuffer(data + bytes(_WORD), np.uint8)

    @cached_property
    def words(self) -> Digests:
        """The eight bytes from each place on, as a number."""
        return np.ndarray((self.size + 1,), "<u8", self.view, strides=(1,))

    @cached_property
    def _characters(self) -> tuple[Bytes, npt.NDArray[np.int32]]:
        """A bit for each byte that begins a character, and how many there are before each eight of them."""
        bits = np.packbits((self.view & 0xC0) != 0x80)
        counts = np.zeros(len(bits) + 1, np.int32)
        np.cumsum(np.bitwise_count(bits), out=counts[1:])
        return bits, counts

    def characters_before(self, places: Places) -> Numbers:
        """How many characters begin before each place."""
        bits, counts = self._characters
        eights, rest = places >> 3, (places & 7).astype(np.uint16)
        some = np.bitwise_count(bits[eights].astype(np.uint16) >> (8 - rest))
        before: Numbers = counts[eights].astype(np.int64) + some
        return before


@dataclass(frozen=True, slots=True)
class Pieces:
    """The pieces of `stretch` from `begins` to `ends`."""

    stretch: Stretch
    begins: Places
    ends: Places

    @classmethod
    def of(cls, texts: Iterable[bytes]) -> Pieces:
        """Pieces that lie elsewhere, put one behind the other."""
        texts = list(texts)
        ends = np.fromiter(accumulate(map(len, texts)), np.int64, len(texts))
        return cls(Stretch(b"".join(texts)), np.concatenate((ends[:0] if not len(ends) else [0], ends[:-1])), ends)

    def __len__(self) -> int:
        return len(self.begins)

    @property
    def sizes(self) -> Numbers:
        """In bytes."""
        return self.ends - self.begins

    def at(self, which: Places | Flags) -> Pieces:
        """Some of them."""
        return Pieces(self.stretch, self.begins[which], self.ends[which])

    def each(self) -> Iterator[bytes]:
        """Their bytes."""
        view = self.stretch.view
        return (view[begin:end].tobytes() for begin, end in zip(self.begins.tolist(), self.ends.tolist(), strict=True))

    def characters(self) -> Numbers:
        """Their lengths in characters of UTF-8."""
        before = self.stretch.characters_before
        return before(self.ends) - before(self.begins)

    def are(self, text: bytes) -> Flags:
        """Which of them are this text."""
        same: Flags = self.sizes == len(text)
        same[same] = stands_at(self.stretch, self.begins[same], text)
        return same

    def digests(self) -> Digests:
        """64 bits of each, never 0; equal for equal pieces within one process."""
        sizes = self.sizes
        found = np.zeros(len(sizes), np.uint64)
        counts = np.maximum((sizes + (_WORD - 1)) // _WORD, 1)
        counts[sizes > _LONG] = 1
        totals = np.cumsum(counts)
        begin = 0
        while begin < len(found):
            before = totals[begin - 1] if begin else 0
            end = max(begin + 1, int(totals.searchsorted(before + _BATCH, "right")))
            some = slice(begin, end)
            found[some] = _digests(self.stretch.words, self.begins[some], sizes[some], counts[some])
            begin = end
        for place in np.flatnonzero(sizes > _LONG).tolist():
            found[place] = hash(next(self.at(np.array([place])).each())) & 0xFFFF_FFFF_FFFF_FFFF
        found[found == 0] = 1
        return found


def stands_at(stretch: Stretch, places: Places, text: bytes) -> Flags:
    """At which of the places the text stands; all of it must fit in."""
    words, same = stretch.words, np.ones(len(places), np.bool_)
    for begin in range(0, len(text), _WORD):
        part = text[begin : begin + _WORD]
        found = words[places + begin] & _MASKS[len(part)]
        same &= found == np.uint64(int.from_bytes(part, "little"))
    return same


def _digests(words: Digests, begins: Places, sizes: Numbers, counts: Numbers) -> Digests:
    """Each piece's words, every one changed by its place and mixed, summed up and mixed again."""
    ends = np.cumsum(counts)
    firsts = ends - counts
    order = np.arange(ends[-1])
    found = words[order * _WORD + np.repeat(begins - firsts * _WORD, counts)]
    found[ends - 1] &= _MASKS[np.minimum(sizes - (counts - 1) * _WORD, _WORD)]
    found += (order - np.repeat(firsts, counts)).astype(np.uint64) * _PLACE
    sums = np.add.reduceat(_mixed(found), firsts)
    return _mixed(sums + sizes.astype(np.uint64) * _SIZE)


def _mixed(numbers: Digests) -> Digests:
    numbers *= _FIRST
    numbers ^= numbers >> _HALF
    numbers *= _SECOND
    numbers ^= numbers >> _LESS
    return numbers
