"""Turns what a reader yields into the canonical lines of a version, or into one refusal that tells every problem."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from dataset_svc.checks.ahead import Looks
from dataset_svc.checks.mapping import mapped
from dataset_svc.checks.problems import Problems, file_refusal
from dataset_svc.checks.row_index import RowIndex
from dataset_svc.checks.statistics import MAX_FIELDS, Statistics
from dataset_svc.checks.warnings import Warnings
from dataset_svc.readers.jsonl import JsonLines
from dataset_svc.readers.line_blocks import Block
from dataset_svc.readers.rows import Fault, Item, ParsedRow
from kargah.domain.wording import counted
from kargah.formats.base import Format
from kargah.formats.registry import SAMPLE_ROWS, detect, format_named, formats

if TYPE_CHECKING:
    from dataset_svc.checks.quick.look import Look

MIN_ROWS = 2
_SAMPLE_BYTES = 4 << 20
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_quote = json.encoder.encode_basestring


def row_json(row: Mapping[str, Any]) -> bytes:
    """The row as compact JSON on one line; rows of texts alone, the usual ones, are written by a short cut."""
    try:
        members = [f"{_quote(name)}:{_quote(value)}" for name, value in row.items()]
    except TypeError:
        return _encode(row).encode()
    return f"{{{','.join(members)}}}".encode()


class CheckedRows:
    """Iterate `lines()` to its end; after that the other attributes describe the version."""

    def __init__(self, items: Iterable[Item], format_name: str | None, mapping: Mapping[str, str]) -> None:
        self.statistics = Statistics()
        self.index = RowIndex()
        self._problems = Problems()
        self._mapping = mapping
        self._rows_read = 0
        self._sample: list[Item] = []
        self._last: Mapping[str, Any] | None = None
        self.as_in_source = True
        """Whether all that `lines()` gave so far begins where the same bytes do in what the reader read."""
        self._items = self._mapped(items)
        self.format = format_named(format_name) if format_name else self._detect()
        self.warnings = Warnings(self.format)

    def lines(self) -> Generator[bytes]:
        """The stored rows with their newlines, one or more at a time. Raises Invalid at the end when anything was
        wrong."""
        if isinstance(self._items, JsonLines):
            yield from self._by_row(chain(self._sampled(), self._items.rest_of_block()))
            yield from self._by_block(self._items)
        else:
            yield from self._by_row(chain(self._sampled(), self._items))
        self._refuse_bad()

    def _sampled(self) -> Iterator[Item]:
        """The sample, which is not kept: it may be of rows of megabytes."""
        self._sample.reverse()
        while self._sample:
            yield self._sample.pop()

    def _by_row(self, items: Iterable[Item]) -> Iterator[bytes]:
        for item in items:
            if isinstance(item, Fault):
                self._problem(item)
            elif (line := self._line(item)) is not None:
                yield line
            if self._problems.full:
                break

    def _by_block(self, source: JsonLines) -> Iterator[bytes]:
        """The same by columns, where a block allows it, and by its rows where not."""
        looks = Looks(self.format.name)
        self._teach(looks)
        with closing(looks.of(source.blocks, self.statistics.rows)) as blocks:
            for block, look in blocks:
                if self._problems.full:
                    break
                looks.spelled = self.warnings.spells
                if look is None or not self._can_take(look):
                    yield from self._by_row(source.rows(block))
                    self._teach(looks)
                elif self._problems.total:
                    self._rows_read += len(look.sizes)
                else:
                    looks.correct(self._take(source, block, look))
                    yield block.data

    def _can_take(self, look: Look) -> bool:
        return bool(self._problems.total) or self.statistics.can_add_all(look)

    def _teach(self, looks: Looks) -> None:
        """Blocks are looked at as soon as there was a good row."""
        if self._last is not None:
            looks.learn(self._last)

    def _take(self, source: JsonLines, block: Block, look: Look) -> int:
        """Count all the rows of a good block; how many more stood before it than was thought."""
        statistics = self.statistics
        wrong_by = statistics.rows - look.first_row
        if wrong_by:
            look.count_scripts(block, statistics.rows)
        self.as_in_source &= block.byte_offset == statistics.size_bytes
        self.index.add_all(statistics.rows, statistics.size_bytes, look.sizes)
        statistics.add_all(look)
        self.warnings.add_all(look, partial(source.row_at, block, look.sizes))
        self._rows_read += len(look.sizes)
        return wrong_by

    def _line(self, row: ParsedRow) -> bytes | None:
        self._rows_read += 1
        errors = self.format.validate(row.value)
        for error in errors:
            self._problems.add(Fault(row.line, row.byte_offset, error.field, error.code, error.message))
        if errors:
            return None
        self._last = row.value
        return None if self._problems.total else self._stored(row)

    def _stored(self, row: ParsedRow) -> bytes:
        line = row.raw or row_json(row.value)
        statistics = self.statistics
        self.as_in_source &= row.raw is not None and row.byte_offset == statistics.size_bytes
        self.index.add(statistics.rows, statistics.size_bytes)
        statistics.add(row.value, len(line) + 1)
        if self.format.trained and (statistics.labels or not statistics.trained):
            statistics.add_example(self.format.to_example(row.value))
        self.warnings.add(row, line)
        return line + b"\n"

    def _problem(self, fault: Fault) -> None:
        self._rows_read += 1
        self._problems.add(fault)

    def _mapped(self, items: Iterable[Item]) -> Iterator[Item]:
        if not self._mapping:
            return iter(items)
        return (mapped(item, self._mapping) if isinstance(item, ParsedRow) else item for item in items)

    def _detect(self) -> Format:
        for item in self._items:
            self._sample.append(item)
            if len(self._sample) >= SAMPLE_ROWS or (item.byte_offset or 0) > _SAMPLE_BYTES:
                break
        rows = [item.value for item in self._sample if isinstance(item, ParsedRow)]
        return detect(rows) or self._unrecognised(rows[0] if rows else None)

    def _unrecognised(self, row: Mapping[str, object] | None) -> Format:
        """Raises the refusal: the file's own faults where no row could be read, else what would be recognised."""
        if row is None:
            for item in chain(self._sample, self._items):
                if isinstance(item, Fault):
                    self._problem(item)
                if self._problems.full:
                    break
            self._refuse_bad()
        shapes = "; ".join(f"{name}: {', '.join(shape.fields)}" for name, shape in formats().items())
        fields = ", ".join(str(name)[:40] for name in list(row or ())[:20])
        message = f"no format has these columns: {fields or 'none at all'}"
        hint = "rename columns, or say which is which: --map question=COLUMN (over HTTP ?map=question:COLUMN)"
        raise file_refusal("unknown_format", message, f"{hint}. Formats and fields: {shapes}")

    def _refuse_bad(self) -> None:
        if self._problems.total:
            raise self._problems.refusal(self._rows_read)
        if self.statistics.too_many_fields:
            message = f"the rows have more than {MAX_FIELDS:,} different fields in all"
            raise file_refusal("too_many_fields", message, "put what varies into the values of a few fields")
        if self.statistics.rows < MIN_ROWS:
            message = f"the file has {counted(self.statistics.rows, 'row')}, and at least {MIN_ROWS} are needed"
            raise file_refusal("too_few_rows", message, "one row to learn from and one to check with")
        if self.format.trained and not self.statistics.trained:
            message = "every assistant turn has weight 0: there is nothing to learn"
            raise file_refusal("all_masked", message, "give at least one assistant turn weight 1")
