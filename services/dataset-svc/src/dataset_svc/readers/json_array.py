"""One JSON array of objects, read element by element: memory is bounded by the longest row, not by the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from dataset_svc.readers.decoded import DecodedText
from dataset_svc.readers.rows import ROW_LIMIT, Fault, Item, ParsedRow, too_long
from dataset_svc.readers.strict_row import RowDecoder, RowFault, Unreadable

_SPACE = re.compile(r"[ \t\r\n]*")
_LONGEST_TOKEN = 16
_CUT = "the file ends inside the array"


def read_json_array(stream: BinaryIO, start: int) -> Iterator[Item]:
    """Rows and faults in order; ends at the first place that is not JSON, for what follows has no sure meaning."""
    window, decoder = DecodedText(stream, start), RowDecoder()
    if _next(window) != "[":
        yield _here(window, "the file does not start with `[`")
        return
    window.consume(window.position + 1, b"[")
    if _next(window) == "]":
        window.consume(window.position + 1, b"]")
    else:
        try:
            yield from _elements(window, decoder)
        except _Stopped as stopped:
            yield stopped.fault
            return
    if _next(window):
        yield _here(window, "more text after the array's end")


class _Stopped(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def _elements(window: DecodedText, decoder: RowDecoder) -> Iterator[Item]:
    """Up to and with the closing bracket."""
    while True:
        _next(window)
        yield _element(window, decoder)
        separator = _next(window)
        if separator not in (",", "]"):
            raise _Stopped(_here(window, "a comma or `]` is expected after a row" if separator else _CUT))
        window.consume(window.position + 1, b"]")
        if separator == "]":
            return


def _element(window: DecodedText, decoder: RowDecoder) -> Item:
    line, offset = window.line, window.byte_offset
    value, end = _decode(window, decoder)
    raw = window.text[window.position : end].encode()
    fault = decoder.objection(value, raw)
    window.consume(end, raw)
    if len(raw) > ROW_LIMIT:
        return too_long(line, offset)
    if fault is not None:
        return Fault(line, offset, fault.field, fault.code, fault.message)
    one_line = raw if b"\n" not in raw and b"\r" not in raw else None
    return ParsedRow(line, offset, value, one_line)


def _decode(window: DecodedText, decoder: RowDecoder) -> tuple[Any, int]:
    """The element at the window's position; reads on, doubling, while it may merely be cut off."""
    while True:
        try:
            value, end = decoder.decode(window.text, window.position)
            if isinstance(value, dict) or end < len(window.text) or window.ended:
                return value, end
        except Unreadable as error:
            too_far = len(window.text) - window.position > ROW_LIMIT
            if window.ended or too_far or not _may_be_cut(window.text, error.fault):
                raise _Stopped(_unreadable(window, error.fault)) from None
        window.extend(max(1 << 20, len(window.text) - window.position))


def _may_be_cut(text: str, fault: RowFault) -> bool:
    """Whether the parser failed because the text ended: inside a string, or within a token of the end."""
    return "unterminated string" in fault.message or fault.position >= len(text) - _LONGEST_TOKEN


def _unreadable(window: DecodedText, fault: RowFault) -> Fault:
    if window.broken is not None:
        return window.broken
    line, offset = window.line, window.byte_offset
    if not window.ended and _may_be_cut(window.text, fault):
        return too_long(line, offset)
    before = window.text[window.position : fault.position]
    return Fault(line + before.count("\n"), offset + len(before.encode()), fault.field, fault.code, fault.message)


def _next(window: DecodedText) -> str:
    """The next character that is no white space, moved to; empty at the end."""
    while True:
        match = _SPACE.match(window.text, window.position)
        if match is not None and match.end() > window.position:
            window.consume(match.end(), match[0].encode())
        if window.position < len(window.text):
            return window.text[window.position]
        if window.ended:
            return ""
        window.extend()


def _here(window: DecodedText, message: str) -> Fault:
    return window.broken or Fault(window.line, window.byte_offset, None, "syntax", message)
