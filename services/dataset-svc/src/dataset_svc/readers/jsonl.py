"""JSON lines: one object a line. A byte-order mark, CRLF and blank lines are accepted; a bad line does not stop it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from dataset_svc.readers.lines import lines
from dataset_svc.readers.rows import Fault, Item, ParsedRow, not_utf8, too_long
from dataset_svc.readers.strict_row import RowDecoder, RowFault, Unreadable, quick_row

_BLANK = b" \t\r"


def read_jsonl(stream: BinaryIO, start: int) -> Iterator[Item]:
    """Rows and faults in the order of the file."""
    decoder = RowDecoder()
    for number, offset, data in lines(stream, start):
        if data is None:
            yield too_long(number, offset)
        elif raw := data.strip(_BLANK):
            yield _row(decoder, number, offset + data.index(raw[:1]), raw)


def _row(decoder: RowDecoder, number: int, offset: int, raw: bytes) -> Item:
    quick = quick_row(raw)
    if quick is not None:
        return ParsedRow(number, offset, quick, raw)
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        return not_utf8(number, offset + error.start)
    try:
        value, end = decoder.decode(text, 0)
    except Unreadable as error:
        return _fault(number, offset, text, error.fault)
    if end != len(text):
        return _fault(number, offset, text, RowFault("syntax", "more text after the row's end", None, end))
    fault = decoder.objection(value, raw)
    return ParsedRow(number, offset, value, raw) if fault is None else _fault(number, offset, text, fault)


def _fault(number: int, offset: int, text: str, fault: RowFault) -> Fault:
    inside = len(text[: fault.position].encode())
    return Fault(number, offset + inside, fault.field, fault.code, fault.message)
