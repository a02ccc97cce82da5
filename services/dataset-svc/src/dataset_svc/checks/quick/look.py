"""What is known of a block of rows once it was looked at by columns."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from dataset_svc.checks.digests import Digests, Flags, Places, digests_of
from dataset_svc.checks.quick.arrays import Array, as_numbers, texts
from dataset_svc.checks.quick.plan import TEXT, TEXTS, Plan, Said
from dataset_svc.checks.quick.table import Columns, columns_of
from dataset_svc.checks.quick.texts import Texts, near_empty, speaks
from dataset_svc.checks.quick.turns import turns_exchange
from dataset_svc.checks.scripts import is_counted, script_of_row
from dataset_svc.memory import keep_arrow_to_it
from dataset_svc.readers.line_blocks import Block
from dataset_svc.readers.rows import ROW_LIMIT

_NEWLINE = 10

Numbers = npt.NDArray[np.int64]


@dataclass(slots=True)
class Look:
    """Of a block all of whose lines are good rows: arrays with an entry for each of them.

    `first_row`: the number of rows before it, as far as that was known, on which `scripts` hangs. `asked` and `verdict`
    are digests; where `asks` is false, or `verdict` is None, nothing is to be compared. `labels` stand in the order in
    which they were met. `others` are the names of columns that are neither texts nor lists.
    """

    first_row: int
    sizes: Numbers
    rows: Digests
    asked: Digests
    asks: Flags
    verdict: Digests | None
    near_empty: Flags
    texts: dict[str, Numbers]
    items: dict[str, Numbers]
    others: tuple[str, ...]
    labels: dict[str, int] = field(default_factory=dict)
    scripts: Counter[str] = field(default_factory=Counter)

    def count_scripts(self, block: Block, first_row: int) -> None:
        """Count anew: so many rows stand before the block after all."""
        self.scripts = scripts_of(block.data, np.cumsum(self.sizes) - 1, first_row)


def look(block: Block, plan: Plan, first_row: int) -> Look | None:
    """The block by columns; None when it is not certain that every line of it is a good row of the plan."""
    keep_arrow_to_it()
    ends = _line_ends(block)
    if ends is None:
        return None
    columns = columns_of(block.data, ends, plan)
    exchange = None if columns is None else _exchange(columns, plan)
    if columns is None or exchange is None:
        return None
    asked, answer, verdict = exchange
    begins = _begins(ends)
    return Look(
        first_row=first_row,
        sizes=ends - begins + 1,
        rows=digests_of(block.data, begins, ends),
        asked=_digests(asked),
        asks=as_numbers(pc.binary_length(asked)) > 0,
        verdict=None if verdict is None else _digests(verdict),
        near_empty=near_empty(answer),
        texts={name: _lengths(columns[name]) for name, kind in plan.columns.items() if kind == TEXT},
        items=_items(columns, plan),
        others=tuple(name for name, kind in plan.columns.items() if kind not in (TEXT, TEXTS)),
        labels=_labels(verdict) if plan.said is not None and plan.said.label is not None else {},
        scripts=scripts_of(block.data, ends, first_row),
    )


def scripts_of(data: bytes, ends: Places, first_row: int) -> Counter[str]:
    """How the rows that are counted are written; `first_row` rows stand before them."""
    places = [place for place in range(len(ends)) if is_counted(first_row + place + 1)]
    begins = _begins(ends)
    return Counter(script_of_row(orjson.loads(data[begins[place] : ends[place]])) for place in places)


def _line_ends(block: Block) -> Places | None:
    """Where the newlines are; None unless there are some, the last at the block's end, and no line is too long."""
    ends = np.flatnonzero(np.frombuffer(block.data, np.uint8) == _NEWLINE)
    whole = len(ends) > 0 and ends[-1] == len(block.data) - 1
    return ends if whole and (ends - _begins(ends)).max() <= ROW_LIMIT else None


def _begins(ends: Places) -> Places:
    return np.concatenate(([0], ends[:-1] + 1))


def _exchange(columns: Columns, plan: Plan) -> tuple[Texts, Texts, Texts | None] | None:
    return turns_exchange(columns, plan.turns) if plan.said is None else _said(columns, plan.said)


def _said(columns: Columns, said: Said) -> tuple[Texts, Texts, Texts | None] | None:
    if not all(speaks(columns[name]) for name in said.texts):
        return None
    parts = [pa.scalar("") if name is None else columns[name] for name in said.asked]
    asked = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, said.joint)
    verdict = None if said.verdict is None else columns[said.verdict]
    if said.label is not None:
        verdict = _label_texts(columns[said.label])
        if verdict is None:
            return None
    return asked, columns[said.answer], verdict


def _label_texts(column: Array) -> Texts | None:
    """Labels as `label_of` writes them; None where one says nothing, or is neither a text nor a whole number."""
    if pa.types.is_string(column.type):
        distinct = column.dictionary_encode()
        labels = [label.strip() for label in distinct.dictionary.to_pylist()]
        return texts(labels).take(distinct.indices) if all(labels) else None
    is_number = pa.types.is_integer(column.type) or pa.types.is_boolean(column.type)
    return pc.cast(column, pa.string()) if is_number else None


def _labels(verdict: Texts | None) -> dict[str, int]:
    found = verdict.value_counts() if verdict is not None else ()
    return {one["values"].as_py(): one["counts"].as_py() for one in found}


def _items(columns: Columns, plan: Plan) -> dict[str, Numbers]:
    names = [name for name, kind in plan.columns.items() if kind == TEXTS]
    if plan.turns is not None:
        names.append(plan.turns.column)
    return {name: np.diff(as_numbers(columns[name].offsets)).astype(np.int64) for name in names}


def _lengths(texts: Texts) -> Numbers:
    return as_numbers(pc.utf8_length(texts)).astype(np.int64)


def _digests(texts: Texts) -> Digests:
    if not len(texts):
        return np.zeros(0, np.uint64)
    offsets = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
    places = offsets.astype(np.int64)
    data = texts.buffers()[2]
    return digests_of(b"" if data is None else data.to_pybytes(), places[:-1], places[1:])
