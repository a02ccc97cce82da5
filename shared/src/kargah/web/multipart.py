"""Uploads read as a stream: one file out of multipart/form-data, or a raw body, with bounded memory.

    upload = open_upload(request, limit=10 << 30)
    size = store.put_stream(key, upload.stream)
    name = upload.fields["name"]  # fields that came after the file are there only now

Nothing of the file is kept here. Reading raises when the body breaks off (`BadRequest`) or passes a limit
(`TooLarge`), so whoever stores the stream must drop what it has on any error.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import BinaryIO

from flask import Request
from werkzeug.exceptions import HTTPException
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from kargah.domain.errors import BadRequest, FieldError, Invalid, TooLarge, UnsupportedMedia
from kargah.web.body import RequestBody
from kargah.web.strict_json import unstorable_fields

_CHUNK = 64 << 10
_DECODER_BYTES = 4 * _CHUNK  # the decoder keeps at most a part's headers and one chunk
_MAX_PARTS = 32
_MAX_FIELD_BYTES = 64 << 10
_LONGEST_BOUNDARY = 200


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way in. `filename` is what the client called it: a label, never a path to use.

    `fields` is complete once `stream` was read to its end.
    """

    stream: BinaryIO
    filename: str | None
    content_type: str | None
    fields: dict[str, str] = field(default_factory=dict)


def open_upload(
    request: Request,
    *,
    limit: int,
    file_field: str = "file",
    known_fields: Collection[str] | None = None,
) -> Upload:
    """The file in the part `file_field`, of at most `limit` bytes, ready to be read.

    `known_fields` are the other fields that may come with it (None: any). Raises `UnsupportedMedia` when the body is
    not multipart, `Invalid` when there is no file, `BadRequest` or `TooLarge` when it is broken or too large.
    """
    parts = _Parts(request, limit, file_field, known_fields)
    file = parts.find_file()
    stream = io.BufferedReader(_PartStream(parts), _CHUNK)
    return Upload(stream, file.filename, file.headers.get("content-type"), parts.fields)


def raw_upload(request: Request, *, limit: int, filename: str | None = None) -> Upload:
    """The body itself as the file. Raises `TooLarge` at once when its declared length is over `limit` bytes."""
    _check_declared_length(request, limit)
    stream = io.BufferedReader(_RawStream(request, limit), _CHUNK)
    return Upload(stream, filename, request.mimetype or None)


class _RawStream(io.RawIOBase):
    def __init__(self, request: Request, limit: int) -> None:
        super().__init__()
        self._body = RequestBody(request)
        self._limit = limit
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed allows any buffer
        data = self._body.read(min(len(buffer), _CHUNK))
        self._count += len(data)
        if self._count > self._limit:
            raise _too_large(self._limit)
        buffer[: len(data)] = data
        return len(data)


class _PartStream(io.RawIOBase):
    def __init__(self, parts: _Parts) -> None:
        super().__init__()
        self._parts = parts
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed allows any buffer
        data = self._rest or self._parts.next_file_bytes()
        count = min(len(buffer), len(data))
        buffer[:count] = data[:count]
        self._rest = data[count:]
        return count


class _Parts:
    """Walks over the parts: fields into `fields`, the file's bytes to whoever asks."""

    def __init__(self, request: Request, limit: int, file_field: str, known_fields: Collection[str] | None) -> None:
        self.fields: dict[str, str] = {}
        self._body = RequestBody(request)
        self._limit = limit
        self._file_field = file_field
        self._known = known_fields
        self._decoder = MultipartDecoder(_boundary(request), _DECODER_BYTES, max_parts=_MAX_PARTS)
        self._pending: deque[Event] = deque()
        self._file_bytes = 0
        self._in_file = False
        self._ended = False
        _check_declared_length(request, limit + _MAX_PARTS * _MAX_FIELD_BYTES)

    def find_file(self) -> File:
        """Read on to the file's first byte, keeping the fields before it."""
        while not isinstance(event := self._next_event(), Epilogue):
            if isinstance(event, File):
                self._check_file(event)
                self._in_file = True
                return event
            if isinstance(event, Field):
                self._keep_field(event)
        message = f"A file in the form field {self._file_field!r} is needed."
        raise Invalid("No file was sent.", errors=[FieldError(self._file_field, message, "missing")])

    def next_file_bytes(self) -> bytes:
        """The file's next bytes; empty once it has ended, after which all later fields were read too."""
        while self._in_file:
            event = self._next_event()
            if not isinstance(event, Data):
                raise BadRequest("The form data is broken.")
            self._in_file = event.more_data
            self._count_file(len(event.data))
            if event.data:
                return event.data
        self._finish()
        return b""

    def _finish(self) -> None:
        if self._ended:
            return
        while not isinstance(event := self._next_event(), Epilogue):
            if isinstance(event, File):
                raise Invalid("One file at a time.", errors=[FieldError(event.name, "A second file.", "second_file")])
            if isinstance(event, Field):
                self._keep_field(event)
        self._ended = True

    def _keep_field(self, part: Field) -> None:
        value = self._field_value(part)
        if part.name in self.fields or part.name == self._file_field:
            message = "Given twice." if part.name in self.fields else "This must be a file, with a file name."
            raise Invalid("The form is not acceptable.", errors=[FieldError(part.name, message)])
        if self._known is not None and part.name not in self._known:
            error = FieldError(part.name, "There is no such form field.", "unknown_field")
            raise Invalid(
                "The form is not acceptable.", hint=f"Known: {', '.join(sorted(self._known))}.", errors=[error]
            )
        if found := unstorable_fields({part.name: value}):
            raise Invalid("The form is not acceptable.", errors=found)
        self.fields[part.name] = value

    def _field_value(self, part: Field) -> str:
        kept = bytearray()
        more = True
        while more:
            event = self._next_event()
            if not isinstance(event, Data):
                raise BadRequest("The form data is broken.")
            kept += event.data
            more = event.more_data
            if len(kept) > _MAX_FIELD_BYTES:
                raise TooLarge(f"The form field {part.name[:100]!r} is over {_MAX_FIELD_BYTES} bytes.")
        try:
            return kept.decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadRequest(f"The form field {part.name[:100]!r} is not UTF-8.") from error

    def _check_file(self, part: File) -> None:
        if part.name != self._file_field:
            message = f"Files are taken in the form field {self._file_field!r} only."
            raise Invalid("The form is not acceptable.", errors=[FieldError(part.name, message, "unknown_field")])

    def _count_file(self, count: int) -> None:
        self._file_bytes += count
        if self._file_bytes > self._limit:
            raise _too_large(self._limit)

    def _next_event(self) -> Event:
        """The decoder's next event, feeding it from the request as it asks."""
        while isinstance(event := self._decode(), NeedData):
            chunk = self._body.read(_CHUNK)
            self._feed(chunk or None)
        if isinstance(event, Field | File) and not isinstance(event.name, str):
            raise BadRequest("A part of the form has no name.")
        return event

    def _decode(self) -> Event:
        try:
            return self._decoder.next_event()
        except HTTPException as error:
            raise TooLarge(f"The form has more than {_MAX_PARTS} parts.") from error
        except ValueError as error:
            raise BadRequest("The form data is broken, or breaks off before its end.") from error

    def _feed(self, chunk: bytes | None) -> None:
        try:
            self._decoder.receive_data(chunk)
        except HTTPException as error:
            raise TooLarge("A part of the form has too many headers.") from error


def _boundary(request: Request) -> bytes:
    boundary = request.mimetype_params.get("boundary", "")
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMedia("The body is not multipart/form-data.", hint="Send the file as a form field.")
    if not boundary or len(boundary) > _LONGEST_BOUNDARY or not boundary.isascii():
        raise BadRequest("The content type names no usable multipart boundary.")
    return boundary.encode()


def _check_declared_length(request: Request, limit: int) -> None:
    if (request.content_length or 0) > limit:
        raise _too_large(limit)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The file is over the limit of {limit} bytes.")
