"""CSV with a header: comma, semicolon or tab. Cells are kept as text, whatever they start with."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import BinaryIO

from dataset_svc.readers.lines import Line, lines
from dataset_svc.readers.rows import ROW_LIMIT, Fault, Item, ParsedRow, not_utf8, shortened, too_long

_DELIMITERS = ",;\t"
MAX_COLUMNS = 1000

# The limit is the process's own; without it a cell over 128 KiB is refused.
csv.field_size_limit(ROW_LIMIT)


def read_csv(stream: BinaryIO, start: int) -> Iterator[Item]:
    """Rows and faults in order; ends at a broken header and at a quote that never closes."""
    source = _Lines(lines(stream, start))
    try:
        delimiter = source.sniff()
        table = csv.reader(source, delimiter=delimiter, strict=True)
        header = _header(next(table, []), source)
    except _BadLine as bad:
        yield bad.fault
        return
    except csv.Error as error:
        yield source.fault(f"the header cannot be read: {error}")
        return
    if isinstance(header, Fault):
        yield header
        return
    yield from _rows(source, table, header)


def _rows(source: _Lines, table: Iterator[list[str]], header: list[str]) -> Iterator[Item]:
    width = len(header)
    while True:
        source.begin()
        try:
            cells = next(table)
        except StopIteration:
            return
        except _BadLine as bad:
            yield bad.fault
            if bad.final:
                return
            continue
        except csv.Error as error:
            yield source.fault(f"the row cannot be read: {error}")
            continue
        if len(cells) == width:
            yield ParsedRow(source.line, source.byte_offset, dict(zip(header, cells, strict=True)))
        elif cells:
            yield source.fault(f"the row has {len(cells)} cells, and the header has {width}", "ragged_row")


class _BadLine(Exception):
    """Raised through the csv module; `final` when reading on has no sure meaning."""

    def __init__(self, fault: Fault, final: bool) -> None:
        super().__init__(fault.message)
        self.fault = fault
        self.final = final


class _Lines:
    """Feeds decoded lines to the csv module and knows where the record under way began."""

    def __init__(self, source: Iterator[Line]) -> None:
        self._source = source
        self._kept: str | None = None
        self._taken = 0
        self.line, self.byte_offset = 1, 0

    def sniff(self) -> str:
        """The delimiter that stands most often in the header line, outside quotes."""
        self.begin()
        self._kept = next(self, "")
        outside = "".join(self._kept.split('"')[::2])
        return max(_DELIMITERS, key=outside.count)

    def begin(self) -> None:
        """A new record starts with the next line."""
        self._taken = 0

    def fault(self, message: str, code: str = "syntax") -> Fault:
        """A fault at the start of the record under way."""
        return Fault(self.line, self.byte_offset, None, code, message)

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self._kept is not None:
            kept, self._kept = self._kept, None
            return kept
        number, offset, data = next(self._source)
        if not self._taken:
            self.line, self.byte_offset = number, offset
        if data is None:
            raise _BadLine(too_long(self.line, self.byte_offset), final=self._taken > 0)
        self._taken += len(data) + 1
        if self._taken > ROW_LIMIT:
            message = "a quoted cell goes on for more than 8 MiB; is its closing quote missing?"
            raise _BadLine(self.fault(message, "row_too_long"), final=True)
        return self._decoded(number, offset, data)

    def _decoded(self, number: int, offset: int, data: bytes) -> str:
        null = data.find(b"\x00")
        if null >= 0:
            message = "the text holds U+0000, which cannot be stored"
            raise _BadLine(Fault(number, offset + null, None, "null_character", message), final=False)
        try:
            return data.decode() + "\n"
        except UnicodeDecodeError as error:
            raise _BadLine(not_utf8(number, offset + error.start), final=False) from None


def _header(cells: list[str], source: _Lines) -> list[str] | Fault:
    names = [cell.strip() for cell in cells]
    if not any(names):
        return source.fault("the file has no header row", "empty")
    if len(names) > MAX_COLUMNS:
        return source.fault(f"the header has {len(names)} columns, and at most {MAX_COLUMNS} are accepted", "header")
    if "" in names:
        return source.fault(f"column {names.index('') + 1} of the header has no name", "header")
    twice = next((name for number, name in enumerate(names) if name in names[:number]), None)
    if twice is not None:
        return source.fault(f"the column `{shortened(twice)}` stands twice in the header", "duplicate_key")
    return names
