"""Parquet, row group by row group, a few rows in memory at a time. Only what JSON can say is accepted."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import types

from dataset_svc.memory import keep_arrow_to_it
from dataset_svc.readers.csv_table import MAX_COLUMNS
from dataset_svc.readers.parquet_footer import RowGroup, row_groups
from dataset_svc.readers.rows import ROW_LIMIT, Fault, Item, ParsedRow, shortened, too_long
from dataset_svc.readers.strict_row import MAX_DEPTH, text_fault
from kargah.domain.errors import TooLarge

_BATCH_ROWS, _BATCH_BYTES = 8, 4 << 20  # at once; one text of a dictionary may stand in all of them
_BUFFER = 1 << 20
_MAX_PAGE, _PAGE_ROWS = 64 << 20, 1024  # writers look at a page's size once in so many rows
_MAX_GROWTH = 250
_GROWTH_FREE = 64 << 20
_BROKEN = (pa.ArrowException, OSError, ValueError)
_PLAIN = (types.is_null, types.is_boolean, types.is_integer, types.is_floating, types.is_string, types.is_large_string)
_LISTS = (types.is_list, types.is_large_list, types.is_fixed_size_list)


def read_parquet(stream: BinaryIO, start: int) -> Iterator[Item]:
    """Rows and faults in order; `stream` can seek. A row's line is its number, its byte offset that of its row group.

    Raises TooLarge for a column that grows as only a bomb does, and what reading the stream raises.
    """
    keep_arrow_to_it()
    try:
        groups = row_groups(stream)
        file = pq.ParquetFile(stream, buffer_size=_BUFFER, pre_buffer=False)
        wrong = _column_faults(file.schema_arrow)
    except _BROKEN as error:
        yield _broken(1, start, error)
        return
    yield from wrong or _groups(file, groups)


def _groups(file: pq.ParquetFile, groups: list[RowGroup]) -> Iterator[Item]:
    number, offset = 1, 0
    try:
        for group, described in enumerate(groups):
            _refuse_bomb(described)
            offset = described.offset
            for batch in file.iter_batches(_rows_at_once(described), row_groups=[group], use_threads=False):
                yield from _rows(batch, number, offset)
                number += batch.num_rows
    except _BROKEN as error:
        yield _broken(number, offset, error)


def _rows_at_once(group: RowGroup) -> int:
    """So many that they are not large together, as far as their mean says it."""
    mean = max(1, group.size // max(1, group.rows))
    return max(1, min(_BATCH_ROWS, _BATCH_BYTES // mean))


def _rows(batch: pa.RecordBatch, number: int, offset: int) -> Iterator[Item]:
    if batch.nbytes > ROW_LIMIT and batch.num_rows > 1:
        # One by one, so that a batch of large rows is never all in memory as Python's.
        for place in range(batch.num_rows):
            yield from _rows(batch.slice(place, 1), number + place, offset)
    elif batch.nbytes > ROW_LIMIT:
        yield too_long(number, offset)
    else:
        for place, row in enumerate(batch.to_pylist()):
            yield _item(row, number + place, offset)


def _item(row: dict[str, Any], number: int, offset: int) -> Item:
    value = {name: _plain(cell) if type(cell) in (list, dict) else cell for name, cell in row.items()}
    fault = text_fault(value)
    if fault is not None:
        return Fault(number, offset, fault.field, fault.code, fault.message)
    odd = _not_finite(value)
    if odd is not None:
        return Fault(number, offset, odd, "not_finite", "NaN and infinity are no JSON numbers")
    return ParsedRow(number, offset, value)


def _plain(value: Any) -> Any:
    """Without the nulls of objects: in a column of objects every one has every member, those left out as null."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items() if inner is not None}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _not_finite(value: Any, field: str = "") -> str | None:
    """The first number that JSON cannot say, by its field."""
    if isinstance(value, float):
        return None if math.isfinite(value) else field
    inside: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        inside = [(f"{field}.{name}" if field else shortened(name), inner) for name, inner in value.items()]
    elif isinstance(value, list):
        inside = [(f"{field}[{place}]", inner) for place, inner in enumerate(value)]
    return next((found for name, inner in inside if (found := _not_finite(inner, name)) is not None), None)


def _column_faults(schema: pa.Schema) -> list[Fault]:
    """What keeps the file as a whole from being read: too many columns, one name twice, types that JSON has not."""
    if len(schema.names) > MAX_COLUMNS:
        message = f"the file has {len(schema.names)} columns, and at most {MAX_COLUMNS} are accepted"
        return [Fault(1, 0, None, "header", message)]
    twice = {name for number, name in enumerate(schema.names) if name in schema.names[:number]}
    named = [Fault(1, 0, shortened(name), "duplicate_key", "two columns have this name") for name in sorted(twice)]
    return named + [fault for column in schema for fault in _type_faults(shortened(column.name), column.type, 1)]


def _type_faults(field: str, kind: pa.DataType, depth: int) -> Iterator[Fault]:
    if depth > MAX_DEPTH:
        yield Fault(1, 0, field, "too_deep", f"the column is nested more than {MAX_DEPTH} levels deep")
    elif types.is_struct(kind):
        for inner in kind:
            yield from _type_faults(f"{field}.{shortened(inner.name)}", inner.type, depth + 1)
    elif any(is_list(kind) for is_list in _LISTS):
        yield from _type_faults(f"{field}[]", kind.value_type, depth + 1)
    elif types.is_dictionary(kind):
        yield from _type_faults(field, kind.value_type, depth)
    elif not any(is_plain(kind) for is_plain in _PLAIN):
        message = f"the column `{field}` is of type {shortened(str(kind))}, which JSON has not: store it as text"
        yield Fault(1, 0, field, "column_type", message)


def _refuse_bomb(group: RowGroup) -> None:
    for column in group.columns:
        name, unpacked = shortened(column.path), column.unpacked
        if unpacked > _GROWTH_FREE and unpacked > _MAX_GROWTH * max(1, column.packed):
            message = f"the column `{name}` grows to over {_MAX_GROWTH} times its size when it is unpacked"
            raise TooLarge(message, "write the file without compression if it is meant")
        page = min(unpacked, _PAGE_ROWS * (unpacked // max(1, group.rows)))
        if page > _MAX_PAGE:
            message = f"the column `{name}` has pages of up to {page:,} bytes, which must be in memory at once"
            hint = "write it with fewer rows in a row group, or send JSON lines"
            raise TooLarge(f"{message}: more than {_MAX_PAGE:,}", hint)


def _broken(row: int, offset: int, error: Exception) -> Fault:
    what = shortened(" ".join(str(error).split()), 200)
    return Fault(row, offset, None, "parquet", f"the Parquet data cannot be read: {what}")
