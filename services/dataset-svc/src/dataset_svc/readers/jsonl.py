"""JSON lines: one object a line. A byte-order mark, CRLF and blank lines are accepted; a bad line does not stop it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from dataset_svc.readers.line_blocks import BLOCK_BYTES, Block, line_blocks
from dataset_svc.readers.rows import ROW_LIMIT, Fault, Item, ParsedRow, not_utf8, too_long
from dataset_svc.readers.strict_row import RowDecoder, RowFault, Unreadable, quick_row

_BLANK = b" \t\r"


class JsonLines(Iterator[Item]):
    """Rows and faults in the order of the file; between two blocks of lines one may go on by blocks instead."""

    def __init__(self, stream: BinaryIO, start: int, block_bytes: int = BLOCK_BYTES) -> None:
        self.blocks = line_blocks(stream, start, block_bytes)
        """What was not begun yet."""
        self._decoder = RowDecoder()
        self._begun: Iterator[Item] = iter(())

    def __next__(self) -> Item:
        while True:
            item = next(self._begun, None)
            if item is not None:
                return item
            self._begun = self.rows(next(self.blocks))

    def rest_of_block(self) -> Iterator[Item]:
        """What is left of the block that was begun; after it, `blocks` are the rest."""
        return self._begun

    def rows(self, block: Block) -> Iterator[Item]:
        """The rows and faults of one block."""
        number, offset = block.line, block.byte_offset
        if block.overlong:
            yield too_long(number, offset)
        for data in block.data.split(b"\n"):
            if len(data) > ROW_LIMIT:
                yield too_long(number, offset)
            elif raw := data.strip(_BLANK):
                yield _row(self._decoder, number, offset + data.index(raw[:1]), raw)
            number, offset = number + 1, offset + len(data) + 1

    def row_at(self, block: Block, sizes: npt.NDArray[np.int64], place: int) -> ParsedRow:
        """One row of a block of good rows of these sizes, with nothing else between them."""
        begin = int(sizes[:place].sum())
        data = block.data[begin : begin + int(sizes[place])]
        row = next(self.rows(Block(block.line + place, block.byte_offset + begin, data)))
        assert isinstance(row, ParsedRow), row
        return row


def read_jsonl(stream: BinaryIO, start: int) -> JsonLines:
    """Rows and faults in the order of the file."""
    return JsonLines(stream, start)


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
