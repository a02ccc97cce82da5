"""What the beginning of a GGUF file tells: its settings, and how many parameters it has. Nothing is loaded."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from registry.models.safetensors_header import BadHeader

MAX_HEADER_BYTES = 128 << 20
_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_MOST_SETTINGS, _MOST_TENSORS, _MOST_DIMENSIONS = 10_000, 100_000, 8
_LONGEST_TEXT = 4 << 20
_MOST_TEXTS = (
    4 << 20
)  # of all lists together: the largest vocabularies have a quarter million, and twice as many merges
_LONGEST_TOLD = 200
_STRING, _ARRAY = 8, 9
# Of the plain kinds of values, by GGUF's numbers.
_FORMATS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """`settings` by key; lists (tokens, merges) are None."""

    settings: Mapping[str, Value] = field(default_factory=dict)
    parameters: int = 0

    def text(self, key: str) -> str | None:
        """A setting that is a text, without NUL, which no database holds; its beginning where it is long."""
        value = self.settings.get(key)
        return value.replace("\0", "")[:_LONGEST_TOLD] if isinstance(value, str) else None


def read_header(stream: BinaryIO, file_bytes: int) -> GgufHeader:
    """Raises BadHeader, saying what is wrong."""
    source = _Source(stream)
    if source.take(4) != _MAGIC:
        raise BadHeader("it does not begin like a GGUF file")
    if (version := source.number("<I")) not in _VERSIONS:
        raise BadHeader(f"its GGUF version is {version}")
    tensors = _bounded(source.number("<Q"), _MOST_TENSORS, "tensors")
    count = _bounded(source.number("<Q"), _MOST_SETTINGS, "settings")
    settings = dict(_setting(source) for _ in range(count))
    parameters = sum(_elements(source, file_bytes) for _ in range(tensors))
    if not tensors:
        raise BadHeader("it holds no tensors")
    return GgufHeader(settings, parameters)


class _Source:
    """Reads forward; what would be beyond the end, or unreasonably long, is a BadHeader."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._left = MAX_HEADER_BYTES
        self._texts_left = _MOST_TEXTS

    def take(self, count: int) -> bytes:
        if count > self._left:
            raise BadHeader(f"its header is longer than {MAX_HEADER_BYTES >> 20} MiB")
        self._left -= count
        parts = bytearray()
        while len(parts) < count:
            if not (data := self._stream.read(count - len(parts))):
                raise BadHeader("it ends within its header")
            parts += data
        return bytes(parts)

    def number(self, form: str) -> int:
        return int(struct.unpack(form, self.take(struct.calcsize(form)))[0])

    def text(self) -> str:
        if (left := self._texts_left) == 0:
            raise BadHeader(f"its header has more than {_MOST_TEXTS} texts")
        self._texts_left = left - 1
        length = _bounded(self.number("<Q"), _LONGEST_TEXT, "bytes of text")
        return self.take(length).decode("utf-8", "replace")


def _setting(source: _Source) -> tuple[str, Value]:
    key, kind = source.text(), source.number("<I")
    if kind == _STRING:
        return key, source.text()
    if kind == _ARRAY:
        _pass_over_array(source)
        return key, None
    form = _form(kind)
    value: Value = struct.unpack(form, source.take(struct.calcsize(form)))[0]
    return key, value


def _pass_over_array(source: _Source) -> None:
    kind, count = source.number("<I"), source.number("<Q")
    if kind == _STRING:
        for _ in range(_bounded(count, _MOST_TEXTS, "entries of a list")):
            source.text()
    else:
        source.take(_bounded(count, MAX_HEADER_BYTES, "entries of a list") * struct.calcsize(_form(kind)))


def _elements(source: _Source, file_bytes: int) -> int:
    source.text()
    dimensions = _bounded(source.number("<I"), _MOST_DIMENSIONS, "dimensions")
    elements = math.prod(source.number("<Q") for _ in range(dimensions))
    source.number("<I")
    if source.number("<Q") >= file_bytes or elements > file_bytes * 16:
        raise BadHeader("a tensor lies beyond its end")
    return elements


def _form(kind: int) -> str:
    if kind not in _FORMATS:
        raise BadHeader(f"it has a value of the unknown kind {kind}")
    return _FORMATS[kind]


def _bounded(count: int, most: int, what: str) -> int:
    if count > most:
        raise BadHeader(f"it would have {count} {what}")
    return count
