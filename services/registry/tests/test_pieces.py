"""Files made of pieces of objects, and streams that are read ahead."""

from __future__ import annotations

import io
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from kargah.adapters.folder_store import FolderStore
from kargah.domain.errors import BadRequest
from registry.blobs.pieces import Piece, buffered, can_be_parts, content_of, merged
from registry.blobs.read_ahead import read_ahead

MIB = 1 << 20


class BreaksOff(io.RawIOBase):
    """Ends with an error after `good` reads; None for a source that never ends."""

    def __init__(self, good: int | None) -> None:
        super().__init__()
        self._good = good
        self.reads = 0

    def read(self, size: int = -1) -> bytes:
        self.reads += 1
        if self._good is not None and self.reads > self._good:
            raise BadRequest("It broke off.")
        return b"x" * size


def test_pieces_are_one_stream(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put("a", b"0123456789")
    store.put("b", b"abc")
    pieces = [Piece("a", 2, 3), Piece("a", 5, 1), Piece("b", 0, 3), Piece("a", 6, 1)]
    assert merged(pieces) == [Piece("a", 2, 4), Piece("b", 0, 3), Piece("a", 6, 1)]
    for some in (pieces, merged(pieces)):
        with buffered(content_of(store, some)) as stream:
            assert stream.read() == b"2345abc6"


@pytest.mark.parametrize(
    ("lengths", "fit"),
    [
        ([], False),
        ([0], False),
        ([1], True),
        ([5 * MIB, 1], True),
        ([5 * MIB - 1, 5 * MIB], False),
        ([6 * MIB, 0], False),
    ],
)
def test_stores_copy_parts_of_five_mebibytes_or_more(lengths: list[int], fit: bool) -> None:
    assert can_be_parts([Piece("a", 0, length) for length in lengths]) == fit


@pytest.mark.parametrize("size", [0, 1, 5_000_000, 40_000_000])
def test_what_is_read_ahead_is_the_same(size: int) -> None:
    data = bytes(range(256)) * (size // 256) + b"e" * (size % 256)
    with read_ahead(io.BytesIO(data)) as stream:
        assert stream.read() == data


def test_an_error_comes_where_it_was(tmp_path: Path) -> None:
    source = BreaksOff(3)
    with pytest.raises(BadRequest), read_ahead(cast(BinaryIO, source)) as stream:
        FolderStore(tmp_path).put_stream("k", stream)
    assert list(FolderStore(tmp_path).list("")) == []


def test_nobody_reads_on_afterwards() -> None:
    source = BreaksOff(None)
    with read_ahead(cast(BinaryIO, source)) as stream:
        assert stream.read(10) == b"x" * 10
    reads = source.reads
    assert 0 < reads < 100
    with read_ahead(cast(BinaryIO, BreaksOff(None))):
        assert source.reads == reads
