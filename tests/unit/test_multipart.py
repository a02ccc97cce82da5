"""Uploads: whole files come through byte by byte, broken and oversized ones are refused, memory stays bounded."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, request
from hypothesis import given
from hypothesis import strategies as st

from kargah.domain.errors import BadRequest, DomainError, Invalid, TooLarge, UnsupportedMedia
from kargah.web.multipart import Upload, open_upload, raw_upload

BOUNDARY = "frontier"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
LIMIT = 1 << 20

Part = tuple[str, bytes]


def _field(name: str, value: bytes) -> Part:
    return (f'form-data; name="{name}"', value)


def _file(data: bytes, name: str = "file", filename: str = "rows.jsonl") -> Part:
    return (f'form-data; name="{name}"; filename="{filename}"', data)


def _form(*parts: Part) -> bytes:
    body = b""
    for disposition, value in parts:
        body += f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + value + b"\r\n"
    return body + f"--{BOUNDARY}--\r\n".encode()


def _receive(body: bytes, use: Callable[[], Any], *, content_type: str = TYPE, declared: int | None = None) -> Any:
    length = len(body) if declared is None else declared
    environ = {"wsgi.input": io.BytesIO(body), "CONTENT_TYPE": content_type, "CONTENT_LENGTH": str(length)}
    with Flask("test").test_request_context("/", method="POST", environ_overrides=environ):
        return use()


def _receive_open_ended(body: io.RawIOBase, use: Callable[[], Any], content_type: str = TYPE) -> Any:
    """As with `transfer-encoding: chunked`: the length is not known before the end."""
    environ = {"wsgi.input": body, "wsgi.input_terminated": True, "CONTENT_TYPE": content_type}
    with Flask("test").test_request_context("/", method="POST", environ_overrides=environ):
        return use()


def _upload(body: bytes, **options: Any) -> tuple[bytes, Upload]:
    def use() -> tuple[bytes, Upload]:
        upload = open_upload(request, **{"limit": LIMIT, **options})
        return upload.stream.read(), upload

    found: tuple[bytes, Upload] = _receive(body, use)
    return found


@given(
    st.binary(max_size=5000) | st.text("\r\n-frontie", max_size=3000).map(str.encode),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=50),
)
def test_any_file_comes_through(data: bytes, value: str) -> None:
    if f"--{BOUNDARY}".encode() in data:
        return
    got, upload = _upload(_form(_field("name", value.encode()), _file(data), _field("map", value.encode())))
    assert got == data
    assert upload.fields == {"name": value, "map": value}
    assert upload.filename == "rows.jsonl"


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 300_000, LIMIT])
def test_files_around_the_chunk_size(size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    assert _upload(_form(_file(data[:size])))[0] == data[:size]


def test_a_file_name_is_only_a_label() -> None:
    _, upload = _upload(_form(_file(b"x", filename="../../etc/passwd")))
    assert upload.filename == "../../etc/passwd"


def test_fields_before_the_file_are_there_at_once() -> None:
    def use() -> None:
        upload = open_upload(request, limit=LIMIT)
        assert upload.fields == {"name": "a"}
        upload.stream.read()
        assert upload.fields == {"name": "a", "format": "text"}

    _receive(_form(_field("name", b"a"), _file(b"x" * 200_000), _field("format", b"text")), use)


@given(st.binary(max_size=2000))
def test_any_bytes_are_a_file_or_a_refusal(body: bytes) -> None:
    try:
        _upload(body)
    except DomainError as error:
        assert error.status in (400, 413, 422)


@given(st.data())
def test_a_truncated_form_is_a_bad_request(data: st.DataObject) -> None:
    body = _form(_field("name", b"abc"), _file(b"line\r\n" * 50), _field("map", b"{}"))
    cut = data.draw(st.integers(0, len(body) - len(b"--\r\n") - 1))
    with pytest.raises(BadRequest):
        _upload(body[:cut])


@pytest.mark.parametrize(
    ("body", "error", "field"),
    [
        (_form(_field("name", b"a")), Invalid, "file"),
        (_form(), Invalid, "file"),
        (_form(_file(b"x"), _file(b"y")), Invalid, "file"),
        (_form(_file(b"x", name="other")), Invalid, "other"),
        (_form(_field("file", b"not a file")), Invalid, "file"),
        (_form(_field("name", b"a"), _field("name", b"b"), _file(b"x")), Invalid, "name"),
        (_form(_file(b"x"), _field("name", b"a\0b")), Invalid, "name"),
        (_form(_field("odd", b"1"), _file(b"x")), Invalid, "odd"),
        (_form(_field("name", b"\xff"), _file(b"x")), BadRequest, None),
        (_form(("form-data", b"x")), BadRequest, None),
        (_form(("form-data; filename=a", b"x")), BadRequest, None),
        (f"--{BOUNDARY}\r\nX: y\r\n\r\nx\r\n--{BOUNDARY}--\r\n".encode(), BadRequest, None),
        (_form(_file(b"x" * (LIMIT + 1))), TooLarge, None),
        (_form(*[_field(f"f{number}", b"") for number in range(40)], _file(b"x")), TooLarge, None),
        (_form(_field("name", b"a" * 70_000), _file(b"x")), TooLarge, None),
        (f"--{BOUNDARY}\r\nX: ".encode() + b"y" * 400_000, TooLarge, None),
        (b"z" * 400_000, TooLarge, None),
    ],
)
def test_what_is_refused(body: bytes, error: type[DomainError], field: str | None) -> None:
    known = {"name", *(f"f{number}" for number in range(40))}
    with pytest.raises(error) as caught:
        _upload(body, known_fields=known)
    if field is not None:
        assert [one.field for one in caught.value.errors] == [field]


@pytest.mark.parametrize(
    ("content_type", "error"),
    [
        ("application/json", UnsupportedMedia),
        ("", UnsupportedMedia),
        ("multipart/mixed; boundary=x", UnsupportedMedia),
        ("multipart/form-data", BadRequest),
        ("multipart/form-data; boundary=" + "x" * 300, BadRequest),
    ],
)
def test_content_types(content_type: str, error: type[DomainError]) -> None:
    with pytest.raises(error):
        _receive(_form(_file(b"x")), lambda: open_upload(request, limit=LIMIT), content_type=content_type)


class _Generated(io.RawIOBase):
    """A body of `size` bytes after `head`, made as it is read."""

    def __init__(self, head: bytes, size: int, tail: bytes) -> None:
        super().__init__()
        self._head, self._left, self._tail = head, size, tail
        self.given = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._head:
            data, self._head = self._head[:size], self._head[size:]
        elif self._left:
            data = b"x" * min(size, self._left)
            self._left -= len(data)
        else:
            data, self._tail = self._tail[:size], self._tail[size:]
        self.given += len(data)
        return data


def test_memory_is_bounded_for_large_files() -> None:
    whole = _form(_file(b"@"))
    head, _, tail = whole.partition(b"@")
    body = _Generated(head, 100 << 20, tail)

    def use() -> int:
        upload = open_upload(request, limit=1 << 30)
        count = 0
        while chunk := upload.stream.read(1 << 20):
            count += len(chunk)
        return count

    tracemalloc.start()
    try:
        assert _receive_open_ended(body, use) == 100 << 20
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


def test_an_endless_file_is_read_up_to_the_limit_only() -> None:
    body = _Generated(_form(_file(b"@")).partition(b"@")[0], 1 << 40, b"")
    with pytest.raises(TooLarge):
        _receive_open_ended(body, lambda: open_upload(request, limit=LIMIT).stream.read())
    assert LIMIT < body.given < LIMIT + (1 << 18)


class TestRaw:
    def test_the_body_is_the_file(self) -> None:
        data = bytes(range(256)) * 1000

        def use() -> None:
            upload = raw_upload(request, limit=LIMIT, filename="a.csv")
            assert upload.stream.read() == data
            assert (upload.filename, upload.content_type, upload.fields) == ("a.csv", "text/csv", {})

        _receive(data, use, content_type="text/csv")

    def test_a_declared_length_over_the_limit_is_refused_unread(self) -> None:
        with pytest.raises(TooLarge):
            _receive(b"x" * 11, lambda: raw_upload(request, limit=10))

    def test_an_endless_body_is_read_up_to_the_limit_only(self) -> None:
        body = _Generated(b"", 1 << 40, b"")
        with pytest.raises(TooLarge):
            _receive_open_ended(body, lambda: raw_upload(request, limit=LIMIT).stream.read(), "text/csv")
        assert LIMIT < body.given < LIMIT + (1 << 18)

    def test_a_body_shorter_than_declared_is_a_bad_request(self) -> None:
        with pytest.raises(BadRequest):
            _receive(b"x" * 10, lambda: raw_upload(request, limit=LIMIT).stream.read(), declared=20)
