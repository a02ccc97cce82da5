"""A block of JSON lines as Arrow columns; None where it is not certain that each line is one strict row of the plan."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from pyarrow import json

from dataset_svc.checks.digests import Places
from dataset_svc.checks.quick.arrays import Array
from dataset_svc.checks.quick.plan import NUMBER, TEXT, TEXTS, TRUTH, WHOLE, Plan
from dataset_svc.readers.strict_row import SUSPECT_ESCAPE

_TYPES = {TEXT: pa.string(), WHOLE: pa.int64(), NUMBER: pa.float64(), TRUTH: pa.bool_(), TEXTS: pa.list_(pa.string())}
# Arrow's parser reads these words as numbers.
_NO_NUMBERS = (b"NaN", b"Inf")
_OPENS, _CLOSES = b"{}"

Columns = dict[str, Array]
"""By the names of the columns."""


def columns_of(data: bytes, ends: Places, plan: Plan) -> Columns | None:
    """The columns of a block whose lines have their newlines at `ends`: none with a null, all texts UTF-8.

    Arrow refuses what JSON forbids, names that stand twice, other columns and other types. What it lets pass and the
    rows' own reader does not is looked for here: several rows on a line or a row on several, U+0000, halves of
    surrogate pairs, numbers that are none.
    """
    if not _one_a_line(data, ends) or (b"\\" in data and SUSPECT_ESCAPE.search(data)):
        return None
    if NUMBER in plan.columns.values() and any(word in data for word in _NO_NUMBERS):
        return None
    return _parsed(data, len(ends), _schema(plan))


def _one_a_line(data: bytes, ends: Places) -> bool:
    """Whether each line begins and ends with a brace: no value goes on behind `}`, a newline and `{`."""
    view = np.frombuffer(data, np.uint8)
    starts = ends[:-1] + 1
    return data.startswith(b"{") and bool((view[ends - 1] == _CLOSES).all() and (view[starts] == _OPENS).all())


def _schema(plan: Plan) -> pa.Schema:
    fields = [(name, _TYPES[kind]) for name, kind in plan.columns.items()]
    if plan.turns is not None:
        turn = pa.struct([(plan.turns.role, pa.string()), (plan.turns.text, pa.string())])
        fields.append((plan.turns.column, pa.list_(turn)))
    return pa.schema(fields)


def _parsed(data: bytes, rows: int, schema: pa.Schema) -> Columns | None:
    # One block, or Arrow divides it and each piece gets columns of its own.
    read = json.ReadOptions(use_threads=False, block_size=len(data) + 1)
    parse = json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
    try:
        table = json.read_json(pa.BufferReader(data), read, parse)
        table.validate(full=True)
    except pa.ArrowException:
        return None
    if table.num_rows != rows or any(column.num_chunks != 1 for column in table.columns):
        return None
    columns = {name: table.column(name).chunk(0) for name in schema.names}
    return None if any(_has_null(column) for column in columns.values()) else columns


def _has_null(column: Array) -> bool:
    if column.null_count:
        return True
    if pa.types.is_list(column.type):
        return _has_null(column.values)
    if pa.types.is_struct(column.type):
        return any(_has_null(column.field(place)) for place in range(column.type.num_fields))
    return False
