"""A stream with the wrong bytes never becomes an object."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from kargah.adapters.folder_store import FolderStore
from kargah.domain.errors import Invalid
from registry.blobs.verified_stream import VerifiedStream


def stream(data: bytes, sha256: str | None = None) -> VerifiedStream:
    return VerifiedStream(io.BytesIO(data), sha256 or hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize("size", [0, 1, 5_000_000])
def test_the_right_bytes_arrive(tmp_path: Path, size: int) -> None:
    store, source = FolderStore(tmp_path), stream(b"x" * size)
    store.put_stream("k", cast(BinaryIO, source))
    assert source.verified and source.count == size
    assert store.stat("k").size == size


def test_the_wrong_bytes_leave_nothing(tmp_path: Path) -> None:
    store, source = FolderStore(tmp_path), stream(b"x" * 3_000_000, "0" * 64)
    with pytest.raises(Invalid, match="not what its address says"):
        store.put_stream("k", cast(BinaryIO, source))
    assert list(store.list("")) == [] and not source.verified
