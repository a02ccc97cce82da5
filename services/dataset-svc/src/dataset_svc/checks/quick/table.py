"""A block of JSON lines as Arrow columns; None where it is not certain that each line is one strict row of the plan."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json

from dataset_svc.checks.arrays import Places
from dataset_svc.checks.pieces import Pieces, Stretch
from dataset_svc.checks.quick.plan import NUMBER, TEXT, TEXTS, TRUTH, WHOLE, Plan
from dataset_svc.checks.quick.scan import Scanned, Table, Talk
from dataset_svc.memory import keep_arrow_to_it
from dataset_svc.readers.strict_row import SUSPECT_ESCAPE

_TYPES = {TEXT: pa.string(), WHOLE: pa.int64(), NUMBER: pa.float64(), TRUTH: pa.bool_(), TEXTS: pa.list_(pa.string())}
# Arrow's parser reads these words as numbers.
_NO_NUMBERS = (b"NaN", b"Inf")
_OPENS, _CLOSES = b"{}"

Array = Any
"""An Arrow array: pyarrow has no types of its own."""

_Columns = dict[str, Array]


def table_of(data: bytes, ends: Places, plan: Plan) -> Table | None:
    """The columns of a block whose lines have their newlines at `ends`: none with a null, all texts UTF-8.

    Arrow refuses what JSON forbids, names that stand twice, other columns and other types. What it lets pass and the
    rows' own reader does not is looked for here: several rows on a line or a row on several, U+0000, halves of
    surrogate pairs, numbers that are none.
    """
    keep_arrow_to_it()
    if not _one_a_line(data, ends) or (b"\\" in data and SUSPECT_ESCAPE.search(data)):
        return None
    if NUMBER in plan.columns.values() and any(word in data for word in _NO_NUMBERS):
        return None
    columns = _parsed(data, len(ends), _schema(plan))
    return None if columns is None else _table(columns, plan)


def _table(columns: _Columns, plan: Plan) -> Table:
    texts = {name: _pieces(columns[name]) for name, kind in plan.columns.items() if kind == TEXT}
    lists = {name: _list(columns[name]) for name, kind in plan.columns.items() if kind == TEXTS}
    others = {name: _pieces(pc.cast(columns[name], pa.string())) for name in _counted_by(plan)}
    talk = None
    if plan.turns is not None:
        turns = columns[plan.turns.column]
        roles, said = _pieces(turns.values.field(0)), _pieces(turns.values.field(1))
        talk = Talk(_numbers(turns.offsets).astype(np.int64), roles, said)
    return Table(Scanned(texts, talk), lists, others)


def _counted_by(plan: Plan) -> list[str]:
    """The column of labels, where they are whole numbers or truth values."""
    label = None if plan.said is None else plan.said.label
    return [name for name, kind in plan.columns.items() if name == label and kind in (WHOLE, TRUTH)]


def _list(column: Array) -> tuple[Pieces, Places]:
    return _pieces(column.values), _numbers(column.offsets).astype(np.int64)


def _pieces(texts: Array) -> Pieces:
    offsets = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
    places, data = offsets.astype(np.int64), texts.buffers()[2]
    return Pieces(Stretch(b"" if data is None else data.to_pybytes()), places[:-1], places[1:])


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


def _parsed(data: bytes, rows: int, schema: pa.Schema) -> _Columns | None:
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


def _numbers(array: Array) -> npt.NDArray[np.int32]:
    return np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array)]


def _has_null(column: Array) -> bool:
    if column.null_count:
        return True
    if pa.types.is_list(column.type):
        return _has_null(column.values)
    if pa.types.is_struct(column.type):
        return any(_has_null(column.field(place)) for place in range(column.type.num_fields))
    return False
