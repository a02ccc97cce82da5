"""What people wrote in the rows of a block: which of it may be misspelled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dataset_svc.checks.arrays import Flags, Numbers, Places
from dataset_svc.checks.pieces import Pieces
from dataset_svc.checks.quick.plan import Plan
from dataset_svc.checks.quick.scan import Table
from dataset_svc.checks.row_texts import NOT_PROSE
from kargah.formats.spelling.suspect import which_may_be_faulty


@dataclass(frozen=True, slots=True)
class Prose:
    """Columns of `rows` rows: a text in each, or those between the offsets given."""

    rows: int
    columns: list[tuple[Pieces, Places | None]]

    def suspects(self, characters: int) -> tuple[Flags, Numbers]:
        """Which rows to look at closely where so many characters are looked at: those that may be misspelled, and the
        one in which the characters end. With how many stand before each row, and the number of all behind these."""
        sizes = sum((_characters(*column) for column in self.columns), np.zeros(self.rows, np.int64))
        before: Numbers = np.concatenate(([0], np.cumsum(sizes)))
        whole = int(before[1:].searchsorted(characters))
        found = np.zeros(self.rows, np.bool_)
        for pieces, offsets in self.columns:
            found[_faulty(pieces, offsets, whole)] = True
        found[whole : whole + 1] = True
        return found, before


def prose_of(table: Table, plan: Plan, rows: int) -> Prose:
    """Of a block's columns those that count as such."""
    scanned = table.scanned
    columns: list[tuple[Pieces, Places | None]] = [
        (pieces, None) for name, pieces in scanned.texts.items() if name not in NOT_PROSE
    ]
    columns += [both for name, both in table.lists.items() if name not in NOT_PROSE]
    if scanned.talk is not None and plan.turns is not None:
        said = ((plan.turns.role, scanned.talk.roles), (plan.turns.text, scanned.talk.texts))
        columns += [(pieces, scanned.talk.offsets) for name, pieces in said if name not in NOT_PROSE]
    return Prose(rows, columns)


def _characters(pieces: Pieces, offsets: Places | None) -> Numbers:
    """In each row."""
    sizes = pieces.characters()
    if offsets is None:
        return sizes
    before = np.concatenate(([0], np.cumsum(sizes)))
    found: Numbers = np.diff(before[offsets])
    return found


def _faulty(pieces: Pieces, offsets: Places | None, rows: int) -> Places:
    """Those of the first rows that have such texts in this column."""
    count = rows if offsets is None else int(offsets[rows])
    texts = [text.decode() for text in pieces.at(slice(0, count)).each()]
    found = np.fromiter(which_may_be_faulty(texts), np.int64)
    return found if offsets is None else offsets.searchsorted(found, "right") - 1
