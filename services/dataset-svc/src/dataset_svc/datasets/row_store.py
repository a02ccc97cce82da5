"""Stores the rows of an upload, unless they are the uploaded file to the last byte: then it is their object, too."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import chain

from dataset_svc.checks.checked_rows import CheckedRows
from dataset_svc.checks.streams import Digest, LinesStream
from kargah.ports.object_store import ObjectStore

_BUFFER = 1 << 20
_NEWLINE = b"\n"
_PART = 8 << 20  # of which the store's client holds a few


def store_rows(store: ObjectStore, key: str, lines: Iterator[bytes]) -> Digest:
    """Store the lines at `key`. Raises what reading them raises, and StoreUnavailable."""
    rows = Digest()
    store.put_stream(key, io.BufferedReader(LinesStream(lines, rows), _BUFFER), part_size=_PART)
    return rows


def store_unlike(
    store: ObjectStore, key: str, source_key: str, source: Digest, checked: CheckedRows, lines: Iterator[bytes]
) -> tuple[Digest, bool]:
    """The rows' digest, and whether they are stored at `key`, being unlike the file at `source_key`.

    `source` is the digest of that file once all lines were read. Nothing is written before the first difference; what
    lies before it is read from the file again.
    """
    size, held = 0, b""
    for piece in lines:
        if not checked.as_in_source:
            return store_rows(store, key, chain(_begun(store, source_key, size, held), (piece,), lines)), True
        size += len(piece)
        held = piece
    if size == source.size and _last_byte(store, source_key, size) == _NEWLINE:
        return source, False
    # The last line had no newline, or more white space behind it.
    return store_rows(store, key, _begun(store, source_key, size, held)), True


def _last_byte(store: ObjectStore, key: str, size: int) -> bytes:
    with store.open(key, offset=size - 1) as stream:
        return stream.read(1)


def _begun(store: ObjectStore, key: str, size: int, held: bytes) -> Iterator[bytes]:
    """The rows so far: all but the last piece stand in the file just so, for each piece began where it does there, and
    is what stands there but for its last newline."""
    left = size - len(held)
    if left:
        with store.open(key, length=left) as stream:
            while data := stream.read(_BUFFER):
                yield data
    yield held
