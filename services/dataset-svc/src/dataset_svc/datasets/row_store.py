"""Stores the rows of an upload, unless they are the uploaded file to the last byte: then it is their object, too."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import chain

from dataset_svc.checks.checked_rows import CheckedRows
from dataset_svc.checks.streams import Digest, LinesStream
from kargah.ports.object_store import ObjectStore

_BUFFER = 1 << 20
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
    rows, held = Digest(), b""
    for piece in lines:
        if not checked.as_in_source:
            return store_rows(store, key, chain(_begun(store, source_key, rows, held), (piece,), lines)), True
        rows.add(piece)
        held = piece
    if rows.sha256 == source.sha256:
        return rows, False
    # The last line had no newline, or more white space behind it.
    return store_rows(store, key, _begun(store, source_key, rows, held)), True


def _begun(store: ObjectStore, key: str, rows: Digest, held: bytes) -> Iterator[bytes]:
    """The rows so far: all but the last piece stand in the file just so, for each piece began where it does there."""
    left = rows.size - len(held)
    if left:
        with store.open(key, length=left) as stream:
            while data := stream.read(_BUFFER):
                yield data
    yield held
