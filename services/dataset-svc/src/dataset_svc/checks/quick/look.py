"""What is known of a block of rows once it was looked at by columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import orjson

from dataset_svc.checks.arrays import Digests, Flags, Numbers, Places
from dataset_svc.checks.pieces import Pieces, Stretch, places_of
from dataset_svc.checks.quick.exchange import Exchanges, exchanges_of_turns, exchanges_said
from dataset_svc.checks.quick.plan import TEXT, TEXTS, Plan
from dataset_svc.checks.quick.prose import Prose, prose_of
from dataset_svc.checks.quick.scan import Table, scan
from dataset_svc.checks.quick.scripts import LONGEST, scripts_of_long, scripts_of_short
from dataset_svc.checks.quick.texts import near_empty
from dataset_svc.checks.row_digests import row_digests
from dataset_svc.checks.scripts import NOT_PROSE, counted, script_of_row
from dataset_svc.readers.line_blocks import Block
from dataset_svc.readers.rows import ROW_LIMIT

_NEWLINE = 10


@dataclass(slots=True)
class Look:
    """Of a block all of whose lines are good rows: arrays with an entry for each of them.

    `first_row`: the number of rows before it, as far as that was known, on which `scripts` hangs. `asked` and `verdict`
    are digests; where `asks` is false, or `verdict` is None, nothing is to be compared. `labels` stand in the order in
    which they were met. `others` are the names of columns that are neither texts nor lists. `prose` only where it was
    asked for.
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
    labels: Mapping[str, int] = field(default_factory=dict)
    scripts: Counter[str] = field(default_factory=Counter)
    prose: Prose | None = None

    def count_scripts(self, block: Block, first_row: int) -> None:
        """Count anew: so many rows stand before the block after all."""
        self.scripts = _scripts_of(block.data, np.cumsum(self.sizes), counted(first_row, len(self.sizes)))


def look(block: Block, plan: Plan, first_row: int, *, spelled: bool = False) -> Look | None:
    """The block by columns, with its prose where that is `spelled`; None when it is not certain that every line of it
    is a good row of the plan."""
    ends = _line_ends(block)
    if ends is None:
        return None
    rows = Pieces(Stretch(block.data), _begins(ends), ends)
    table = _table(block.data, rows, plan)
    exchanges = None if table is None else _exchanges(table, plan)
    if table is None or exchanges is None:
        return None
    found = table.scanned
    return Look(
        first_row=first_row,
        sizes=rows.sizes + 1,
        rows=row_digests(rows) if found.rows is None else found.rows,
        asked=exchanges.asked.digests(),
        asks=exchanges.asked.sizes > 0,
        verdict=None if exchanges.verdict is None else exchanges.verdict.digests(),
        near_empty=near_empty(exchanges.answer),
        texts={name: found.texts[name].characters() for name, kind in plan.columns.items() if kind == TEXT},
        items=_items(table, plan),
        others=tuple(name for name, kind in plan.columns.items() if kind not in (TEXT, TEXTS)),
        labels=exchanges.labels,
        scripts=_scripts(block.data, rows, table, first_row),
        prose=prose_of(table, plan, len(rows)) if spelled else None,
    )


def _table(data: bytes, rows: Pieces, plan: Plan) -> Table | None:
    scanned = scan(data, rows, plan)
    if scanned is not None:
        return Table(scanned, {}, {})
    from dataset_svc.checks.quick.table import table_of  # brings pyarrow: 40 MB of memory that most files do not need

    return table_of(data, rows.ends, plan)


def _exchanges(table: Table, plan: Plan) -> Exchanges | None:
    scanned = table.scanned
    if plan.said is None:
        assert scanned.talk is not None and plan.turns is not None
        return exchanges_of_turns(scanned.talk, plan.turns)
    name = plan.said.label
    return exchanges_said(
        scanned, plan.said, None if name is None else scanned.texts.get(name) or table.others.get(name)
    )


def _items(table: Table, plan: Plan) -> dict[str, Numbers]:
    items = {name: np.diff(offsets) for name, (_, offsets) in table.lists.items()}
    if plan.turns is not None and table.scanned.talk is not None:
        items[plan.turns.column] = np.diff(table.scanned.talk.offsets)
    return items


def _scripts(data: bytes, rows: Pieces, table: Table, first_row: int) -> Counter[str]:
    """How the rows that are counted are written: short ones all at once, the others by their JSON."""
    places = counted(first_row, len(rows))
    short = rows.sizes[places] <= LONGEST
    columns: list[tuple[Pieces, Places | None]] = [
        (pieces, None) for name, pieces in table.scanned.texts.items() if name not in NOT_PROSE
    ]
    columns += [both for name, both in table.lists.items() if name not in NOT_PROSE]
    if table.scanned.talk is not None:
        columns.append((table.scanned.talk.texts, table.scanned.talk.offsets))
    found, long = scripts_of_short(columns, places[short]), places[~short]
    if len(columns) == 1:
        return found + scripts_of_long(*columns[0], long)
    return found + _scripts_of(data, rows.ends + 1, long)


def _scripts_of(data: bytes, ends: Places, places: Places) -> Counter[str]:
    """`ends` are behind the newlines."""
    begins = np.concatenate(([0], ends[:-1]))
    return Counter(script_of_row(orjson.loads(data[begins[place] : ends[place]])) for place in places.tolist())


def _line_ends(block: Block) -> Places | None:
    """Where the newlines are; None unless there are some, the last at the block's end, and no line is too long."""
    ends = places_of(block.data, _NEWLINE)
    whole = len(ends) > 0 and ends[-1] == len(block.data) - 1
    return ends if whole and (ends - _begins(ends)).max() <= ROW_LIMIT else None


def _begins(ends: Places) -> Places:
    return np.concatenate(([0], ends[:-1] + 1))
