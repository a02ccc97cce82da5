"""The kernels give what Python and numpy give, for any bytes; and refuse places that lie outside of them."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from dataset_svc import kernels
from dataset_svc.checks.arrays import Places
from dataset_svc.checks.digests import DigestMap, DigestSet

SIZES = (0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 100, 127, 128, 129, 5000, 8160, 8161, 20_000)
KEYS = np.array([random.Random(number).getrandbits(64) | 1 for number in range(3)], np.uint64)
LETTERS = ["a", "س", "漢", "😀", '"', "\n", " ", "\u200c"]

needs_them = pytest.mark.skipif(not kernels.PRESENT, reason="there is no C compiler")


def test_they_are_there_where_a_compiler_is() -> None:
    assert kernels.PRESENT or not any(map(shutil.which, ("cc", "gcc", "clang"))), "make test compiles them"


@pytest.fixture(params=SIZES)
def data(request: pytest.FixtureRequest) -> bytes:
    """So many bytes of text, the last character of which may break off."""
    chance = random.Random(request.param)
    return "".join(chance.choices(LETTERS, k=request.param + 1)).encode()[: request.param]


@pytest.fixture
def pieces(data: bytes) -> tuple[Places, Places]:
    """Empty ones, ones that lie over each other, and all of it."""
    chance = random.Random(len(data))
    bounds = [sorted((chance.randint(0, len(data)), chance.randint(0, len(data)))) for _ in range(50)]
    both = np.array([*bounds, [0, len(data)], [len(data), len(data)]])
    return both[:, 0], both[:, 1]  # not one number behind the other


def each(data: bytes, pieces: tuple[Places, Places]) -> Iterator[bytes]:
    return (data[begin:end] for begin, end in zip(*map(np.ndarray.tolist, pieces), strict=True))


@needs_them
def test_bytes_are_found_and_counted(data: bytes) -> None:
    for byte in (34, 10, 0, 0xD8):
        places = [place for place, found in enumerate(data) if found == byte]
        assert kernels.places_of(data, byte).tolist() == places
        assert kernels.count(data, byte) == len(places)


@needs_them
def test_one_byte_everywhere_is_found() -> None:
    for size in SIZES:
        assert kernels.places_of(b'"' * size, 34).tolist() == list(range(size))
        assert kernels.count(b'"' * size, 34) == size


@needs_them
def test_control_characters_are_seen_wherever_they_stand(data: bytes) -> None:
    assert not kernels.has_control(data)
    for place in {0, len(data) // 2, len(data) - 1} if data else ():
        for byte in (0, 9, 13, 31):
            assert kernels.has_control(data[:place] + bytes([byte]) + data[place + 1 :])
        assert not kernels.has_control(data[:place] + b"\x7f" + data[place + 1 :])


@needs_them
def test_characters_are_counted(data: bytes, pieces: tuple[Places, Places]) -> None:
    starts = [sum((byte & 0xC0) != 0x80 for byte in piece) for piece in each(data, pieces)]
    assert kernels.characters(data, *pieces).tolist() == starts


@needs_them
def test_what_stands_at_places_is_told(data: bytes, pieces: tuple[Places, Places]) -> None:
    text = data[len(data) // 3 : len(data) // 3 + 5]
    places = pieces[0][pieces[0] + len(text) <= len(data)]
    found = kernels.stands_at(data, places, text)
    assert found.tolist() == [data[place : place + len(text)] == text for place in places.tolist()]


@needs_them
def test_equal_pieces_have_equal_digests_and_others_do_not(data: bytes, pieces: tuple[Places, Places]) -> None:
    digests = kernels.digests(data, *pieces, KEYS).tolist()
    by_piece: dict[bytes, set[int]] = {}
    for piece, digest in zip(each(data, pieces), digests, strict=True):
        by_piece.setdefault(piece, set()).add(digest)
    assert all(len(found) == 1 for found in by_piece.values())
    assert len(set(digests)) == len(by_piece)
    assert 0 not in digests


@needs_them
def test_every_bit_and_every_length_counts_in_a_digest() -> None:
    seen = set()
    for size in range(70):
        for bit in range(-1, 8 * size):
            data = bytearray(size)
            if bit >= 0:
                data[bit // 8] ^= 1 << bit % 8
            seen.add(kernels.digests(bytes(data), np.array([0]), np.array([size]), KEYS).item())
    assert len(seen) == sum(8 * size + 1 for size in range(70))


@needs_them
def test_pairs_that_pieces_begin_with(data: bytes, pieces: tuple[Places, Places]) -> None:
    pairs = np.zeros(1 << 16, np.bool_)
    pairs[ord("a") << 8 : (ord("a") + 1) << 8] = True
    pairs[int.from_bytes("س".encode())] = True
    found = kernels.begin_with(data, *pieces, pairs)
    assert found.tolist() == [piece.startswith((b"a", "س".encode())) for piece in each(data, pieces)]


@needs_them
@pytest.mark.parametrize("most", [0, 1, 3, 1000, 1 << 40])
def test_kinds_are_counted_as_far_as_is_asked(most: int) -> None:
    chance = random.Random(most)
    texts = ["".join(chance.choices(LETTERS, k=chance.choice((0, 1, 5, 300, 1500)))) for _ in range(40)]
    data, ends = "".join(texts).encode(), np.cumsum([len(text.encode()) for text in texts])
    begins = np.concatenate(([0], ends[:-1]))
    shifts = np.array([0, 10, 19, 28, 37, 46, 55, 64], np.uint64)
    table = np.zeros(1 << 16, np.uint64)
    table[ord("a") << 8 : (ord("a") + 1) << 8] += np.uint64(1)
    table[int.from_bytes("س".encode())] += np.uint64(1 << 10)
    table[0xE2 << 8 : 0xE3 << 8] += np.uint64(1 << 55)
    firsts, lasts = np.arange(0, 40, 4), np.arange(4, 41, 4)
    found = kernels.kinds(data, (begins, ends), (firsts, lasts), most, table, shifts)
    rows = ["".join(texts[first:last])[:most] for first, last in zip(firsts, lasts, strict=True)]
    assert found[:, 0].tolist() == [row.count("a") for row in rows]
    assert found[:, 1].tolist() == [row.count("س") for row in rows]
    assert found[:, 6].tolist() == [row.count("\u200c") for row in rows]
    assert not found[:, 2:6].any()


@needs_them
@pytest.mark.parametrize(("begin", "end"), [(-1, 3), (0, 9), (5, 4), (9, 9), (1 << 62, 1 << 62)])
def test_places_outside_are_refused(begin: int, end: int) -> None:
    data, begins, ends = b"12345678", np.array([0, begin]), np.array([8, end])
    none = np.zeros(1 << 16, np.uint64)
    shifts = np.arange(8, dtype=np.uint64)
    calls: list[Callable[[], object]] = [
        lambda: kernels.characters(data, begins, ends),
        lambda: kernels.digests(data, begins, ends, KEYS),
        lambda: kernels.begin_with(data, begins, ends, none.astype(np.bool_)),
        lambda: kernels.stands_at(
            data, begins, b"x" * max(0, end - begin) if end >= 0 > begin or end == 9 else b"123456789"
        ),
        lambda: kernels.kinds(data, (begins, ends), (np.array([0]), np.array([2])), 99, none, shifts),
        lambda: kernels.kinds(data, (begins[:1], ends[:1]), (np.array([0]), np.array([2])), 99, none, shifts),
    ]
    for call in calls:
        with pytest.raises(IndexError, match="outside"):
            call()


@pytest.mark.parametrize("limit", [0, 1, 700, 5000])
def test_tables_remember_the_same_whichever_way(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(limit)
    keys = [np.array([chance.randint(1, 900) for _ in range(400)], np.uint64) for _ in range(5)]
    values = [np.array([chance.randint(1, 3) for _ in some], np.uint64) for some in keys]
    results = []
    for present in {kernels.PRESENT, False}:
        monkeypatch.setattr(kernels, "PRESENT", present)
        table, those = DigestMap(limit), DigestSet(limit)
        put = [table.put_all(*both).tolist() for both in zip(keys, values, strict=True)]
        added = [those.add_all(some).tolist() for some in keys]
        results.append((put, added, sorted(those), table.full))
    assert results[0] == results[-1]
