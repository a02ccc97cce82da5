"""Opens an upload: unpacks gzip, skips a byte-order mark, and chooses the reader by content, then by file name."""

from __future__ import annotations

import gzip
import io
import zlib
from dataclasses import dataclass
from typing import BinaryIO, cast

from dataset_svc.readers.csv_table import read_csv
from dataset_svc.readers.json_array import read_json_array
from dataset_svc.readers.jsonl import read_jsonl
from dataset_svc.readers.rows import Reader
from dataset_svc.readers.text_lines import read_text
from kargah.domain.errors import FieldError, Invalid, TooLarge, UnsupportedMedia

_HEAD = 64 << 10
_BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_REFUSED = {
    b"PK\x03\x04": "a ZIP archive or a spreadsheet (XLSX)",
    b"PK\x05\x06": "a ZIP archive",
    b"PAR1": "a Parquet file",
    b"\xfd7zXZ": "an XZ archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive",
    b"BZh": "a BZip2 archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"%PDF": "a PDF",
    b"\x80\x04\x95": "a pickle",
    b"ARROW1": "an Arrow file",
}
_SUFFIXES: dict[str, Reader] = {".csv": read_csv, ".tsv": read_csv, ".txt": read_text}
_EXPECTED = "send JSON lines (.jsonl), a JSON array (.json), CSV (.csv, .tsv) or plain text (.txt), perhaps gzipped"


@dataclass(frozen=True, slots=True)
class Source:
    """A reader, and the stream from behind the `start` bytes that it needs not see."""

    reader: Reader
    stream: BinaryIO
    start: int


def open_source(raw: BinaryIO, filename: str, max_unpacked: int) -> Source:
    """What `raw` holds. Raises Invalid for an empty file or foreign encoding, UnsupportedMedia for other kinds.

    While the source is read, a gzip over `max_unpacked` bytes raises TooLarge, a broken one Invalid.
    """
    head, stream = _peek(raw)
    packed = head.startswith(_GZIP)
    if packed:
        head, stream = _peek(cast(BinaryIO, io.BufferedReader(_Unpacked(stream, max_unpacked), _HEAD)))
    _refuse_foreign(head, packed)
    start = len(_BOM) if head.startswith(_BOM) else 0
    stream.read(start)
    if not head[start:].strip():
        _refuse_empty()
    return Source(_reader(head[start:].lstrip(), _suffix(filename, packed)), stream, start)


def _reader(head: bytes, suffix: str) -> Reader:
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    if head.startswith(b"["):
        return read_json_array
    return read_jsonl if head.startswith(b"{") or suffix in (".jsonl", ".json", ".ndjson") else read_csv


def _suffix(filename: str, packed: bool) -> str:
    name = filename.lower()
    name = name.removesuffix(".gz") if packed else name
    return name[name.rfind(".") :] if "." in name else ""


def _peek(raw: BinaryIO) -> tuple[bytes, BinaryIO]:
    """The first bytes, and a stream that still begins with them."""
    head = b""
    while len(head) < _HEAD and (more := raw.read(_HEAD - len(head))):
        head += more
    return head, cast(BinaryIO, _Rejoined(head, raw))


class _Rejoined:
    """A stream put back together; only `read(size)` with a positive size is needed by the readers."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = head
        self._rest = rest

    def read(self, size: int) -> bytes:
        if not self._head:
            return self._rest.read(size)
        taken, self._head = self._head[:size], self._head[size:]
        return taken


class _Unpacked(io.RawIOBase):
    """The bytes inside a gzip, counted, so that a small file cannot grow without end."""

    def __init__(self, packed: BinaryIO, limit: int) -> None:
        self._unpacker = gzip.GzipFile(fileobj=packed, mode="rb")
        self._left = limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self._unpacker.read(len(buffer))
        except (OSError, EOFError, zlib.error) as error:
            if not isinstance(error, gzip.BadGzipFile | EOFError | zlib.error):
                raise
            message = f"the gzip is broken or cut short: {error}"
            raise Invalid(message, "pack it again", [FieldError("file", message, "gzip")]) from error
        self._left -= len(data)
        if self._left < 0:
            raise TooLarge("the file is too large once unpacked", "split it into several datasets")
        buffer[: len(data)] = data
        return len(data)


def _refuse_foreign(head: bytes, packed: bool) -> None:
    if head.startswith(_WIDE):
        message = "the file is UTF-16, and UTF-8 is needed"
        raise Invalid(message, "save it as UTF-8", [FieldError("file", message, "encoding", 1, 0)])
    if packed and head.startswith(_GZIP):
        raise UnsupportedMedia("the file is a gzip inside a gzip", _EXPECTED)
    for magic, kind in _REFUSED.items():
        if head.startswith(magic):
            raise UnsupportedMedia(f"the file is {kind}", _EXPECTED)
    if head[257:262] == b"ustar":
        raise UnsupportedMedia("the file is a TAR archive", _EXPECTED)


def _refuse_empty() -> None:
    message = "the file is empty"
    raise Invalid(message, _EXPECTED, [FieldError("file", message, "empty", 1, 0)])
