"""Whatever the kind of file: each error names the line and the byte where its row begins, and all are counted."""

from __future__ import annotations

import gzip
import io
from typing import BinaryIO, cast

import pytest

from dataset_svc.checks.checked_rows import CheckedRows
from dataset_svc.readers.source import open_source
from kargah.domain.errors import Invalid

_GOOD, _BAD = ("سوال", "جواب"), ("پرسشی بی پاسخ", "")
_ROWS = [_GOOD, *[_BAD, _GOOD] * 30]
_JSON = [f'{{"question":"{question}","answer":"{answer}"}}' for question, answer in _ROWS]
FILES: dict[str, tuple[str, list[str]]] = {
    "x.jsonl": ("\n\n".join(_JSON), _JSON),
    "x.json": ("[\n " + ",\r\n ".join(_JSON) + "]", _JSON),
    "x.csv": ("question,answer\n" + "\n".join(map(",".join, _ROWS)), [",".join(row) for row in _ROWS]),
    "x.tsv": ("question\tanswer\n" + "\n".join(map("\t".join, _ROWS)), ["\t".join(row) for row in _ROWS]),
}


@pytest.mark.parametrize("name", list(FILES))
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("packed", [False, True])
def test_places_are_those_of_the_rows(name: str, start: bytes, packed: bool) -> None:
    text, rows = FILES[name]
    data = start + text.encode()
    stream = cast(BinaryIO, io.BytesIO(gzip.compress(data) if packed else data))
    source = open_source(stream, name, 1 << 20)
    with pytest.raises(Invalid) as refused:
        list(CheckedRows(source.reader(source.stream, source.start), "question_answer", {}).lines())
    error = refused.value
    assert (error.total_errors, error.rows, len(error.errors)) == (30, 61, 20)
    for number, found in enumerate(error.errors):
        assert (found.field, found.code) == ("answer", "empty")
        offset = found.byte_offset or 0
        assert data[offset:].startswith(rows[1 + 2 * number].encode())
        assert found.line == data[:offset].count(b"\n") + 1


def test_places_in_plain_text() -> None:
    data = b"good\n" + b"bad \xff\n" * 25
    source = open_source(cast(BinaryIO, io.BytesIO(data)), "x.txt", 1 << 20)
    with pytest.raises(Invalid) as refused:
        list(CheckedRows(source.reader(source.stream, source.start), None, {}).lines())
    assert (refused.value.total_errors, len(refused.value.errors)) == (25, 20)
    for number, found in enumerate(refused.value.errors):
        assert (found.line, found.byte_offset, found.code) == (number + 2, 9 + 6 * number, "encoding")
