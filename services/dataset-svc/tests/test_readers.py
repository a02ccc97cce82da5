"""Readers: rows, faults, and their exact places."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dataset_svc.readers import lines as lines_module
from dataset_svc.readers import unpacked
from dataset_svc.readers.csv_table import read_csv
from dataset_svc.readers.json_array import read_json_array
from dataset_svc.readers.jsonl import read_jsonl
from dataset_svc.readers.lines import lines
from dataset_svc.readers.rows import ROW_LIMIT, Fault, Item, ParsedRow, Reader
from dataset_svc.readers.source import open_source
from dataset_svc.readers.strict_row import RowDecoder, Unreadable, quick_row
from dataset_svc.readers.text_lines import read_text
from kargah.domain.errors import Invalid, UnsupportedMedia


class Dribble(io.RawIOBase):
    """A stream that gives few bytes at a time, as networks do."""

    def __init__(self, data: bytes, most: int) -> None:
        super().__init__()
        self._inner = io.BytesIO(data)
        self._most = most

    def read(self, size: int = -1) -> bytes:
        return self._inner.read(self._most if size < 0 else min(size, self._most))


def items(reader: Reader, data: bytes, most: int = 1 << 20) -> list[Item]:
    return list(reader(Dribble(data, most), 0))  # type: ignore[arg-type]


def rows(found: list[Item]) -> list[dict[str, Any]]:
    return [item.value for item in found if isinstance(item, ParsedRow)]


def fault(found: list[Item]) -> tuple[int, int | None, str]:
    (only,) = [item for item in found if isinstance(item, Fault)]
    return only.line, only.byte_offset, only.code


GOOD = '{"a":"سلام"}\n'.encode()


@pytest.mark.parametrize(
    ("bad", "inside", "code"),
    [
        (b"{oops}", 1, "syntax"),
        (b'{"a":1}x', 7, "syntax"),
        ('{"س":1,}'.encode(), 8, "syntax"),
        (b'{"a":1', 6, "syntax"),
        (b"[1]", 0, "not_an_object"),
        (b"7", 0, "not_an_object"),
        (b'{"a":NaN}', 0, "not_finite"),
        (b'{"a":-Infinity}', 0, "not_finite"),
        (b'{"a":1e999}', 0, "not_finite"),
        (b'{"a":1,"a":2}', 0, "duplicate_key"),
        (b'{"b":{"a":1,"a":2}}', 0, "duplicate_key"),
        (b'{"a":"x\xff"}', 7, "encoding"),
        (b'{"a":"\\u0000"}', 0, "null_character"),
        (b'{"a":["\\ud83d"]}', 0, "lone_surrogate"),
        (b'{"a":"tab\there"}', 9, "syntax"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 0, "too_deep"),
        (b'{"a":' + b"[" * 70 + b"]" * 70 + b"}", 0, "too_deep"),
        (b'{"a":' + b"9" * 5000 + b"}", 0, "number_too_long"),
    ],
)
def test_jsonl_faults_have_exact_places(bad: bytes, inside: int, code: str) -> None:
    found = items(read_jsonl, GOOD + b"\r\n" + bad + b"\n" + GOOD, 37)
    assert fault(found) == (3, len(GOOD) + 2 + inside, code)
    assert rows(found) == [{"a": "سلام"}] * 2


def test_jsonl_keeps_escapes_that_are_fine() -> None:
    data = b'{"a":"\\ud83d\\ude00 \\\\u0000 \\u00e9"}\n'
    (row,) = items(read_jsonl, data)
    assert isinstance(row, ParsedRow)
    assert (row.value, row.raw) == ({"a": "😀 \\u0000 é"}, data.strip())


def test_jsonl_long_line_is_skipped_not_held() -> None:
    long = b'{"a":"' + b"x" * ROW_LIMIT + b'"}'
    found = items(read_jsonl, GOOD + long + b"\n" + GOOD)
    assert fault(found) == (2, len(GOOD), "row_too_long")
    assert isinstance(found[2], ParsedRow)
    assert found[2].byte_offset == len(GOOD) + len(long) + 1


def test_jsonl_last_line_needs_no_newline() -> None:
    assert rows(items(read_jsonl, GOOD + b'{"a":"b"}')) == [{"a": "سلام"}, {"a": "b"}]


@given(st.lists(st.binary(max_size=12).filter(lambda line: b"\n" not in line)), st.integers(1, 9))
def test_lines_are_split_exactly(content: list[bytes], most: int) -> None:
    data = b"\n".join(content)
    split = list(lines(Dribble(data, most), 0, limit=8))  # type: ignore[arg-type]
    assert len(split) == len(data.split(b"\n")) - (1 if data.endswith(b"\n") or not data else 0)
    for number, offset, line in split:
        expected = data.split(b"\n")[number - 1]
        assert data[offset : offset + len(expected)] == expected
        assert line == (expected if len(expected) <= 8 else None)


def test_lines_hold_no_more_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "_CHUNK", 16)
    assert list(lines(io.BytesIO(b"x" * 1000 + b"\nyy"), 5, limit=20)) == [(1, 5, None), (2, 1006, b"yy")]


# --- JSON arrays


def test_json_array_reads_pretty_and_plain() -> None:
    value = [{"a": "سلام", "n": {"b": [1, 2.5, None]}}, {"a": "]},{"}]
    for data in (json.dumps(value), json.dumps(value, indent=2, ensure_ascii=False)):
        for most in (1, 7, 1 << 20):
            assert rows(items(read_json_array, data.encode(), most)) == value


def test_json_array_places_of_rows() -> None:
    data = '[\n  {"س": 1},\n  {"b":\n 2} ]'.encode()
    first, second = items(read_json_array, data, 3)
    assert isinstance(first, ParsedRow)
    assert isinstance(second, ParsedRow)
    assert (first.line, first.byte_offset, first.raw) == (2, 4, '{"س": 1}'.encode())
    assert (second.line, second.byte_offset, second.raw) == (3, data.index(b'{"b"'), None)


@pytest.mark.parametrize(
    ("data", "line", "offset", "code"),
    [
        (b'[{"a":1},\n{"a":}]', 2, 15, "syntax"),
        (b'[{"a":1}\n{"a":2}]', 2, 9, "syntax"),
        (b'[{"a":1},\n', 2, 10, "syntax"),
        (b'[{"a":1},]', 1, 9, "syntax"),
        (b'[{"a":1}', 1, 8, "syntax"),
        (b'[{"a":1}] x', 1, 10, "syntax"),
        (b'[{"a":1},\n5]', 2, 10, "not_an_object"),
        (b'[{"a":1},\n{"a":1,"a":2}]', 2, 10, "duplicate_key"),
        (b'[{"a":1},\n{"a":"\xff"}]', 2, 16, "encoding"),
        (b'[{"a":1},\n{"a":"\xd8', 2, 16, "encoding"),
        (b'[{"a":' + b"[" * 100_000, 1, 1, "too_deep"),
        (b'[{"a":NaN}]', 1, 1, "not_finite"),
    ],
)
def test_json_array_faults_have_exact_places(data: bytes, line: int, offset: int, code: str) -> None:
    for most in (1, 1 << 20) if len(data) < 1000 else (1 << 20,):
        assert fault(items(read_json_array, data, most)) == (line, offset, code)


def test_json_array_goes_on_after_a_bad_row() -> None:
    found = items(read_json_array, b'[{"a":1},{"a":1,"a":2},{"a":3}]')
    assert rows(found) == [{"a": 1}, {"a": 3}]


@pytest.mark.parametrize("tail", [b'"}]', b""])
def test_json_array_row_over_the_limit(tail: bytes) -> None:
    data = b'[{"a":1},{"a":"' + b"x" * (2 * ROW_LIMIT) + tail
    assert fault(items(read_json_array, data)) == (1, 9, "row_too_long")


# --- CSV


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_cells_are_text_as_they_stand(delimiter: str) -> None:
    text = "\r\n".join([delimiter.join(("question", "answer")), delimiter.join(("=1+1", '"a,;\t""b""\nc"'))])
    (row,) = items(read_csv, text.encode(), 5)
    assert isinstance(row, ParsedRow)
    assert (row.value, row.line, row.byte_offset) == ({"question": "=1+1", "answer": 'a,;\t"b"\nc'}, 2, 17)


@pytest.mark.parametrize(
    ("body", "line", "inside", "code"),
    [
        (b"1,2,3\n", 2, 0, "ragged_row"),
        (b"x\n", 2, 0, "ragged_row"),
        (b'1,"2\n2"\n1\n', 4, 8, "ragged_row"),
        (b'1,"2"x\n', 2, 0, "syntax"),
        (b'1,2\n1,"never closed\n', 3, 4, "syntax"),
        (b"1,2\n1,\xff\n", 3, 6, "encoding"),
        (b"1,2\n1,\x00\n", 3, 6, "null_character"),
    ],
)
def test_csv_faults_have_exact_places(body: bytes, line: int, inside: int, code: str) -> None:
    header = "a,سلام\n".encode()
    assert fault(items(read_csv, header + body, 3)) == (line, len(header) + inside, code)


@pytest.mark.parametrize(
    ("header", "code"),
    [(b"a,a\n1,2\n", "duplicate_key"), (b"a,\n1,2\n", "header"), (b",\n", "empty"), (b"a," * 2000, "header")],
)
def test_csv_header_faults(header: bytes, code: str) -> None:
    assert fault(items(read_csv, header)) == (1, 0, code)


def test_csv_quote_that_never_closes_is_bounded() -> None:
    body = b"a,b\n1,2\n" + b'1,"' + (b"x" * 99 + b"\n") * (ROW_LIMIT // 50)
    found = items(read_csv, body)
    assert fault(found) == (3, 8, "row_too_long")
    assert len(found) == 2


def test_csv_large_cells_are_read() -> None:
    assert rows(items(read_csv, b"a,b\n1," + b"x" * 200_000)) == [{"a": "1", "b": "x" * 200_000}]


def test_text_lines() -> None:
    found = items(read_text, "یک\r\n\n  دو \nb\x00d\n\xff".encode("utf-8", "surrogateescape"), 2)
    assert rows(found) == [{"text": "یک"}, {"text": "دو"}, {"text": "ÿ"}]
    assert fault(found) == (4, 16, "null_character")


# --- what kind of file it is


def opened(data: bytes, filename: str = "", most: int = 1 << 30) -> list[Item]:
    source = open_source(io.BytesIO(data), filename, most)
    return list(source.reader(source.stream, source.start))


@pytest.mark.parametrize(
    ("data", "filename"),
    [
        (b'{"a":"1"}', "x.jsonl"),
        (b'{"a":"1"}', ""),
        (b' \n[{"a":"1"}]', "x.json"),
        (b'[{"a":"1"}]', "whatever"),
        (b'\xef\xbb\xbf{"a":"1"}', "x.json"),
        (b"\xef\xbb\xbfa\r\n1\r\n", "x.CSV"),
        (b"a\n1\n", "table"),
        (gzip.compress(b'{"a":"1"}', mtime=0), "x.jsonl.gz"),
        (gzip.compress(b"a\n", mtime=0) + gzip.compress(b"1\n", mtime=0), "x.csv.gz"),
    ],
)
def test_kind_is_recognised(data: bytes, filename: str) -> None:
    assert rows(opened(data, filename)) == [{"a": "1"}]


def test_byte_order_mark_counts_in_offsets() -> None:
    assert fault(opened(b"\xef\xbb\xbf{}\n{x}", "a.jsonl")) == (2, 7, "syntax")
    assert fault(opened(b"\xef\xbb\xbf[{x}]")) == (1, 5, "syntax")
    assert fault(opened(b"\xef\xbb\xbfa,b\n1", "a.csv")) == (2, 7, "ragged_row")


@pytest.mark.parametrize("data", [b"", b"  \n\r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf \n", gzip.compress(b"", mtime=0)])
def test_empty_files_are_refused(data: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        opened(data, "x.jsonl")
    assert caught.value.errors[0].code == "empty"


@pytest.mark.parametrize("magic", [b"PK\x03\x04", b"PARE", b"BZh9", b"%PDF-1.7", b"\x80\x04\x95", b"\xfd7zXZ\x00"])
def test_other_kinds_are_refused(magic: bytes) -> None:
    with pytest.raises(UnsupportedMedia, match="JSON lines"):
        opened(magic + b"0" * 100, "x.jsonl")


def test_utf16_is_refused() -> None:
    with pytest.raises(Invalid, match="UTF-16"):
        opened('{"a":1}'.encode("utf-16"))


def test_a_wrong_checksum_of_gzip_is_told() -> None:
    with pytest.raises(Invalid) as caught:
        opened(gzip.compress(GOOD * 50, mtime=0)[:-8] + b"\0" * 8)
    assert caught.value.errors[0].code == "gzip"


def test_zeros_behind_a_gzip_member_are_passed_over_however_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacked, "_CHUNK", 16)
    member = gzip.compress(GOOD, mtime=0)
    assert unpacked.unpacked(io.BytesIO(member + bytes(50_000) + member), unpacked.GZIP, 1 << 20).read() == GOOD * 2


# --- never an unhandled exception, whatever the bytes

_bytes = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.lists(
        st.sampled_from(
            [
                *(b"[", b"]", b"{", b"}", b'"', b",", b":", b"\n", b"\r", b"\\", b"\\ud800", b"\x00", b"\xff", b"\xd8"),
                *(b"1", b"e9999", b"NaN", b"-", b'"a"', b'{"a":"b"}', b";", b"\t", b" ", "سلام".encode()),
            ]
        ),
        max_size=40,
    ).map(b"".join),
)


@settings(max_examples=400)
@given(_bytes, st.sampled_from([read_jsonl, read_json_array, read_csv, read_text]), st.integers(1, 50))
@example(b"[-", read_json_array, 1)
@example(b'[{"a":"\\', read_json_array, 1)
def test_no_bytes_break_a_reader(data: bytes, reader: Reader, most: int) -> None:
    for item in items(reader, data, most):
        assert item.line >= 1
        assert item.byte_offset is not None
        assert 0 <= item.byte_offset <= len(data)
        assert item.line == data[: item.byte_offset].count(b"\n") + 1


_json = st.dictionaries(st.text(max_size=5), st.text(max_size=10) | st.integers() | st.booleans(), max_size=3)


@given(st.lists(_json, max_size=5), st.integers(1, 30), st.sampled_from([None, 1]))
def test_valid_json_is_read_as_it_is(value: list[dict[str, Any]], most: int, indent: int | None) -> None:
    array = json.dumps(value, indent=indent).encode()
    clean = [row for row in value if "\x00" not in "".join(map(str, (*row, *row.values())))]
    assert [row for row in rows(items(read_json_array, array, most)) if row in clean] == clean
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in clean).encode()
    assert rows(items(read_jsonl, text, most)) == clean


# --- the fast parser gives what the careful one gives, or leaves it to that one


def careful(raw: bytes) -> tuple[Any, bool]:
    """What the careful decoder makes of a line, and whether it has no objection."""
    decoder = RowDecoder()
    try:
        text = raw.decode()
        value, end = decoder.decode(text, 0)
    except (UnicodeDecodeError, Unreadable):
        return None, False
    return value, end == len(text) and decoder.objection(value, raw) is None


_odd = st.lists(
    st.sampled_from(
        [
            *(
                '{"a":1}',
                '{"a":"x","a":2}',
                '{"a" :1,"b":{"a":2,"a":3}}',
                '{"a":"\\":","b":1}',
                '{"b":[{"a":1,"a":2}]}',
            ),
            *('"', "{", "}", "[", "]", ":", ",", " ", "\t", "\r", "\\", '\\"', "a", "1", "1e999", "9" * 20, "0.1", "-"),
            *("NaN", "null", "true", "\\u0000", "\\ud800", "\\ud83d\\ude00", "سلام", '"a":', '"b" :', '"c"\t:'),
        ]
    ),
    max_size=12,
).map(lambda pieces: "".join(pieces).encode())


@settings(max_examples=600)
@given(_odd | st.builds(lambda row: json.dumps(row).encode(), st.dictionaries(st.text(max_size=4), st.integers())))
@example(b'{"a":1,"b" :"\\":","b":2}')
@example(b'{"a":"\\\\","a":"\\\\","b":1}')
@example(b'{"a":"\\"","a":1}')
@example(b'{"a":1e999}')
@example(b'{"a":' + b"9" * 25 + b"}")
@example(b'{"a":{"b":1,"b":2}}')
@example(b'{"a":1,"a":2}')
def test_the_quick_parser_never_differs(raw: bytes) -> None:
    raw = raw.strip(b" \t\r")  # as the reader does
    quick = quick_row(raw)
    if quick is not None:
        value, good = careful(raw)
        assert good
        assert json.dumps(value) == json.dumps(quick)


@pytest.mark.parametrize(
    "row", [{"a": "سلام", "b": None}, {"m": [{"role": "user", "content": "x: y"}], "n": 1.5}, {"a": 10**15, "b": []}]
)
def test_the_quick_parser_reads_the_usual(row: dict[str, Any]) -> None:
    for text in (json.dumps(row), json.dumps(row, ensure_ascii=False, separators=(",", ":"))):
        assert quick_row(text.encode()) == row
