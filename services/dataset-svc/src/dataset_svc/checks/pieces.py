"""Pieces of one stretch of bytes, looked at together: their digests, their lengths in characters, how they begin.

Everything is done for all pieces at once, by the kernels or by numpy: little time for each, and other threads go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, compress

import numpy as np
import numpy.typing as npt

from dataset_svc import kernels
from dataset_svc.checks.arrays import Bytes, Digests, Flags, Groups, Numbers, Places
from dataset_svc.checks.hashing import GROUP, MASKS, SHORT, WORD, digest_of, digests_of


class Stretch:
    """Bytes that any word of eight bytes can be taken from, beginning wherever it may; kernels need no such room."""

    def __init__(self, data: bytes) -> None:
        self.size = len(data)
        self.data = data if kernels.PRESENT else data + bytes(GROUP)
        self.view: Bytes = np.frombuffer(self.data, np.uint8)

    @cached_property
    def words(self) -> Digests:
        """The eight bytes from each place on, as a number."""
        return np.ndarray((self.size + 1,), "<u8", self.view, strides=(1,))

    @cached_property
    def groups(self) -> Groups:
        """So many bytes from each place on as digests are taken of at once."""
        return np.ndarray((self.size + 1,), f"V{GROUP}", self.view, strides=(1,))

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
    """The pieces of `stretch` from `begins` to `ends`, and their digests where these are known."""

    stretch: Stretch
    begins: Places
    ends: Places
    known: Digests | None = None

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

    def at(self, which: Places | Flags | slice) -> Pieces:
        """Some of them."""
        known = None if self.known is None else self.known[which]
        return Pieces(self.stretch, self.begins[which], self.ends[which], known)

    def each(self) -> Iterator[bytes]:
        """Their bytes."""
        data = self.stretch.data
        return map(data.__getitem__, map(slice, self.begins.tolist(), self.ends.tolist()))

    def characters(self) -> Numbers:
        """Their lengths in characters of UTF-8."""
        if kernels.PRESENT:
            return kernels.characters(self.stretch.data, self.begins, self.ends)
        before = self.stretch.characters_before
        return before(self.ends) - before(self.begins)

    def are(self, text: bytes) -> Flags:
        """Which of them are this text."""
        if self.known is not None:
            return np.equal(self.known, digests_of_texts([text]))
        same: Flags = self.sizes == len(text)
        same[same] = stands_at(self.stretch, self.begins[same], text)
        return same

    def digests(self) -> Digests:
        """64 bits of each, never 0; equal for equal pieces within one process."""
        if self.known is not None:
            return self.known
        return digests_of(self.stretch, self.begins, self.ends)

    def hashed(self) -> Pieces:
        """The same, with their digests known from now on."""
        return replace(self, known=self.digests())


def begin_with(pieces: Pieces, pairs: Flags) -> Flags:
    """Which of them begin with two bytes that are true in `pairs`, by the first times 256 and the second."""
    if kernels.PRESENT:
        return kernels.begin_with(pieces.stretch.data, pieces.begins, pieces.ends, pairs)
    view, begins = pieces.stretch.view, pieces.begins
    found: Flags = pairs[view[begins].astype(np.uint16) << 8 | view[begins + 1]] & (pieces.sizes > 0)
    return found


def places_of(data: bytes, byte: int) -> Places:
    """Where this byte stands."""
    return kernels.places_of(data, byte) if kernels.PRESENT else np.flatnonzero(np.frombuffer(data, np.uint8) == byte)


def stands_at(stretch: Stretch, places: Places, text: bytes) -> Flags:
    """At which of the places the text stands; all of it must fit in."""
    if kernels.PRESENT:
        return kernels.stands_at(stretch.data, places, text)
    words, same = stretch.words, np.ones(len(places), np.bool_)
    for begin in range(0, len(text), WORD):
        part = text[begin : begin + WORD]
        found = words[places + begin] & MASKS[len(part)]
        same &= found == np.uint64(int.from_bytes(part, "little"))
    return same


def digests_of_texts(texts: list[bytes]) -> Digests:
    """`Pieces.of(texts).digests()`, of which those that are long are not copied."""
    found = np.zeros(len(texts), np.uint64)
    long = np.array([len(text) > SHORT for text in texts], np.bool_)
    found[long] = [digest_of(text) for text in compress(texts, long)]
    found[~long] = Pieces.of(compress(texts, ~long)).digests()
    return found
