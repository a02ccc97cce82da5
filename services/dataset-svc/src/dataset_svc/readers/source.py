"""Opens an upload: unpacks it, skips a byte-order mark, and chooses the reader by content, then by file name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import BinaryIO, cast

from dataset_svc.readers.csv_table import read_csv
from dataset_svc.readers.json_array import read_json_array
from dataset_svc.readers.jsonl import read_jsonl
from dataset_svc.readers.rows import Reader
from dataset_svc.readers.text_lines import read_text
from dataset_svc.readers.unpacked import GZIP, ZSTD, unpacked
from kargah.domain.errors import FieldError, Invalid, UnsupportedMedia

_HEAD = 64 << 10
_PARQUET = b"PAR1"
_BOM = b"\xef\xbb\xbf"
_PACKED = {GZIP: (".gz", "gzip"), ZSTD: (".zst", "Zstandard archive")}
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_REFUSED = {
    b"PK\x03\x04": "a ZIP archive or a spreadsheet (XLSX)",
    b"PK\x05\x06": "a ZIP archive",
    _PARQUET: "a Parquet file inside an archive",
    b"PARE": "an encrypted Parquet file",
    b"\xfd7zXZ": "an XZ archive",
    b"BZh": "a BZip2 archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"%PDF": "a PDF",
    b"\x80\x04\x95": "a pickle",
    b"ARROW1": "an Arrow file",
}
_SUFFIXES: dict[str, Reader] = {".csv": read_csv, ".tsv": read_csv, ".txt": read_text}
_EXPECTED = (
    "send JSON lines (.jsonl), a JSON array (.json), CSV (.csv, .tsv) or plain text (.txt), perhaps packed with "
    "gzip or zstd, or Parquet (.parquet)"
)


@dataclass(frozen=True, slots=True)
class Source:
    """A reader, and the stream from behind the `start` bytes that it needs not see; `packed`: it unpacks a file;
    `grows`: there may be far more in it than its size says."""

    reader: Reader
    stream: BinaryIO
    start: int
    packed: bool = False
    grows: bool = False


def open_source(raw: BinaryIO, filename: str, max_unpacked: int, whole: BinaryIO | None = None) -> Source:
    """What `raw` holds. Raises Invalid for an empty file or foreign encoding, UnsupportedMedia for other kinds.

    Parquet is read from `whole`, the same file as a stream that can seek; without it Parquet is refused. While the
    source is read, a packed one that grows too much raises TooLarge, a broken one Invalid.
    """
    head, stream = _peek(raw)
    if head.startswith(_PARQUET) and whole is not None:
        from dataset_svc.readers.parquet import read_parquet  # brings pyarrow: 60 MB of memory

        return Source(read_parquet, whole, 0, grows=True)
    packing = next((magic for magic in _PACKED if head.startswith(magic)), None)
    if packing is not None:
        head, stream = _peek(unpacked(stream, packing, max_unpacked))
    _refuse_foreign(head, packing)
    start = len(_BOM) if head.startswith(_BOM) else 0
    stream.read(start)
    if not head[start:].strip():
        _refuse_empty()
    packed = packing is not None
    return Source(_reader(head[start:].lstrip(), _suffix(filename, packing)), stream, start, packed, grows=packed)


def _reader(head: bytes, suffix: str) -> Reader:
    """A name may mislead: what is JSON beyond doubt is read as JSON, whatever it is called."""
    if suffix in _SUFFIXES and not _is_surely_json(head):
        return _SUFFIXES[suffix]
    if head.startswith(b"["):
        return read_json_array
    return read_jsonl if head.startswith(b"{") or suffix in (".jsonl", ".json", ".ndjson") else read_csv


def _is_surely_json(head: bytes) -> bool:
    """Whether the first line is a JSON object, or an array of such begins."""
    if head.startswith(b"["):
        return head[1:].lstrip().startswith(b"{")
    try:
        return head.startswith(b"{") and isinstance(json.loads(head.partition(b"\n")[0]), dict)
    except (ValueError, RecursionError):
        return False


def _suffix(filename: str, packing: bytes | None) -> str:
    name = filename.lower()
    name = name.removesuffix(_PACKED[packing][0]) if packing is not None else name
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


def _refuse_foreign(head: bytes, packing: bytes | None) -> None:
    if head.startswith(_WIDE):
        message = "the file is UTF-16, and UTF-8 is needed"
        raise Invalid(message, "save it as UTF-8", [FieldError("file", message, "encoding", 1, 0)])
    inner = next((name for magic, (_, name) in _PACKED.items() if head.startswith(magic)), None)
    if packing is not None and inner is not None:
        raise UnsupportedMedia(f"the file is a {inner} inside a {_PACKED[packing][1]}", _EXPECTED)
    for magic, kind in _REFUSED.items():
        if head.startswith(magic):
            raise UnsupportedMedia(f"the file is {kind}", _EXPECTED)
    if head[257:262] == b"ustar":
        raise UnsupportedMedia("the file is a TAR archive", _EXPECTED)


def _refuse_empty() -> None:
    message = "the file is empty"
    raise Invalid(message, _EXPECTED, [FieldError("file", message, "empty", 1, 0)])
