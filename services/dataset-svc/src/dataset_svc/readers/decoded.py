"""A UTF-8 stream as a sliding window of text whose byte offset and line are known."""

from __future__ import annotations

from typing import BinaryIO

from dataset_svc.readers.rows import Fault, not_utf8

_CHUNK = 1 << 20
_LONGEST_SEQUENCE = 4


class DecodedText:
    """`text[position]` is the next character; `byte_offset` and `line` are its place in the file.

    When bytes are not UTF-8 the text ends before them, `ended` is true, and `broken` holds the fault.
    """

    def __init__(self, stream: BinaryIO, start: int) -> None:
        self.text = ""
        self.position = 0
        self.byte_offset = start
        self.line = 1
        self.ended = False
        self.broken: Fault | None = None
        self._stream = stream
        self._pending = b""
        self._fed_bytes = start
        self._fed_lines = 1

    def consume(self, position: int, passed: bytes) -> None:
        """Move on to `position`, over text whose bytes are `passed`."""
        self.byte_offset += len(passed)
        self.line += passed.count(b"\n")
        self.position = position

    def extend(self, size: int = _CHUNK) -> None:
        """Read about `size` more bytes, and forget the text before `position`."""
        chunk = self._stream.read(size)
        self.ended = not chunk
        self.text = self.text[self.position :] + self._decode(self._pending + chunk)
        self.position = 0

    def _decode(self, data: bytes) -> str:
        try:
            text, self._pending = data.decode(), b""
        except UnicodeDecodeError as error:
            text, self._pending = data[: error.start].decode(), data[error.start :]
            if self.ended or error.reason != "unexpected end of data" or len(self._pending) >= _LONGEST_SEQUENCE:
                self.ended = True
                place = (self._fed_lines + text.count("\n"), self._fed_bytes + error.start)
                self.broken = self.broken or not_utf8(*place)
        self._fed_bytes += len(data) - len(self._pending)
        self._fed_lines += text.count("\n")
        return text
