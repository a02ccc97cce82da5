"""Plain text: every line that is not blank is a row `{"text": line}`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from dataset_svc.readers.lines import lines
from dataset_svc.readers.rows import Fault, Item, ParsedRow, not_utf8, too_long


def read_text(stream: BinaryIO, start: int) -> Iterator[Item]:
    """Rows and faults in the order of the file."""
    for number, offset, data in lines(stream, start):
        if data is None:
            yield too_long(number, offset)
        elif data.strip():
            yield _row(number, offset, data)


def _row(number: int, offset: int, data: bytes) -> Item:
    try:
        text = data.decode().strip()
    except UnicodeDecodeError as error:
        return not_utf8(number, offset + error.start)
    null = data.find(b"\x00")
    if null < 0:
        return ParsedRow(number, offset, {"text": text})
    return Fault(number, offset + null, "text", "null_character", "the text holds U+0000, which cannot be stored")
