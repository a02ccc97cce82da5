"""Rows are stored unless they are the uploaded file to the last byte."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest

from dataset_svc.checks.checked_rows import CheckedRows
from dataset_svc.checks.streams import Digest
from dataset_svc.datasets.row_store import store_unlike
from dataset_svc.readers.jsonl import JsonLines
from dataset_svc.readers.source import open_source
from kargah.adapters.folder_store import FolderStore

LINES = [b'{"question": "%d", "answer": "b"}' % number for number in range(300)]
SAME = b"\n".join(LINES) + b"\n"


def file_of(*changes: tuple[int, bytes], end: bytes = b"\n") -> bytes:
    lines = list(LINES)
    for number, line in changes:
        lines[number] = line
    return b"\n".join(lines) + end


FILES = {
    "no newline at the end": (file_of(end=b""), True),
    "white space at the end": (file_of(end=b" "), True),
    "one carriage return at the end": (file_of(end=b"\r"), True),
    "white space and a newline": (file_of(end=b" \n"), True),
    "a blank line at the end": (file_of(end=b"\n\n"), True),
    "a blank line": (file_of((250, b"")), True),
    "white space before a row": (file_of((250, b" " + LINES[250])), True),
    "white space behind a row": (file_of((250, LINES[250] + b" ")), True),
    "a carriage return": (file_of((0, LINES[0] + b"\r")), True),
    "a byte-order mark": (b"\xef\xbb\xbf" + SAME, True),
    "an array": (b"[" + b",\n".join(LINES) + b"]", True),
    "a table": (b"question,answer\n" + b"".join(b"%d,b\n" % number for number in range(300)), True),
    "other spaces inside": (file_of((250, b'{  "question":"a" , "answer":"b"}')), False),
    "as it is": (SAME, False),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("block", [300, 4000, 1 << 20])
def test_what_is_stored_is_what_the_checks_gave(tmp_path: Path, name: str, block: int) -> None:
    data, unlike = FILES[name]
    store, digest = FolderStore(tmp_path), Digest()
    digest.add(data)
    store.put("source", data)
    expected = b"".join(checked(data, block).lines())
    rows = checked(data, block)
    found, stored = store_unlike(store, "rows", "source", digest, rows, rows.lines())
    assert stored == unlike
    assert store.get("rows" if stored else "source") == expected
    assert (found.size, found.sha256) == (len(expected), sha256(expected))


def checked(data: bytes, block: int) -> CheckedRows:
    source = open_source(io.BytesIO(data), "x", 1 << 30)
    items = source.reader(source.stream, source.start)
    if isinstance(items, JsonLines):
        items = JsonLines(source.stream, source.start, block)
    return CheckedRows(items, None, {})


def sha256(data: bytes) -> str:
    digest = Digest()
    digest.add(data)
    return digest.sha256


def test_a_packed_file_is_known_for_one() -> None:
    assert open_source(io.BytesIO(gzip.compress(SAME)), "x.gz", 1 << 30).packed
    assert not open_source(io.BytesIO(SAME), "x", 1 << 30).packed
