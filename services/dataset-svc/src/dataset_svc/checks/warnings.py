"""What is not wrong but worth telling: repeated rows, contradictions, empty answers, faults of spelling."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from dataset_svc.checks.arrays import Digests, Flags, Numbers
from dataset_svc.checks.digests import DigestMap, DigestSet
from dataset_svc.checks.findings import Findings, file_warning
from dataset_svc.checks.near_empty import is_near_empty
from dataset_svc.checks.pieces import digests_of_texts
from dataset_svc.checks.row_digests import digests_of_lines
from dataset_svc.checks.row_texts import texts_of
from dataset_svc.checks.statistics import MAX_LABELS, Statistics
from dataset_svc.readers.rows import ParsedRow
from kargah.contracts.datasets import RowWarning
from kargah.formats.base import Exchange, Format
from kargah.formats.spelling.repairs import MESSAGES, find_faults

if TYPE_CHECKING:
    from dataset_svc.checks.quick.look import Look

REMEMBERED = 500_000
CHARACTERS = 1_000_000
_TOGETHER, _TOGETHER_BYTES = 256, 1 << 20  # rows that wait to be looked at with others


class Warnings:
    """Looks at every good row, within fixed bounds of memory and time.

    Repeats and contradictions are looked for among the first 500,000 rows, spelling in the first million characters.
    """

    def __init__(self, shape: Format) -> None:
        self._shape = shape
        self._findings = Findings()
        self._rows = DigestSet(REMEMBERED)
        self._verdicts = DigestMap(REMEMBERED)
        self._characters = CHARACTERS
        self._waiting: list[tuple[ParsedRow, bytes]] = []
        self._bytes = 0

    def add(self, row: ParsedRow, stored: bytes) -> None:
        """Look at one row; `stored` is its line without the newline."""
        self._waiting.append((row, stored))
        self._bytes += len(stored)
        if len(self._waiting) >= _TOGETHER or self._bytes >= _TOGETHER_BYTES:
            self._look_at_waiting()

    def add_all(self, look: Look, row_at: Callable[[int], ParsedRow]) -> None:
        """Look at the rows of a block; `row_at` gives the one at a place in it."""
        self._look_at_waiting()
        repeated = self._rows.add_all(look.rows)
        contradicts = self._contradictions(look.asked, look.verdict, ~repeated & look.asks)
        empty = look.near_empty & ~repeated
        repeated = self._findings.count_all("duplicate_rows", repeated)
        empty = self._findings.count_all("near_empty_answer", empty)
        contradicts = self._findings.count_all("different_answers", contradicts)
        characters = self._characters
        spelled, before = self._misspelled(look)
        for place in np.flatnonzero(repeated | empty | contradicts | spelled).tolist():
            row = row_at(place)
            if repeated[place]:
                self._repeats(row)
            if empty[place]:
                self._says_nothing(row, self._shape.exchange(row.value))
            if contradicts[place]:
                self._contradicts(row)
            if spelled[place]:
                self._characters = characters - int(before[place])
                self._spelling(row)
        self._characters = characters - int(before[-1])

    @property
    def spells(self) -> bool:
        """Whether further texts are looked at for their spelling."""
        return self._characters > 0

    def _misspelled(self, look: Look) -> tuple[Flags, Numbers]:
        """Which rows are to be looked at for that, and how many characters stand before each and in all."""
        if self.spells and look.prose is not None:
            return look.prose.suspects(self._characters)
        return np.zeros(len(look.sizes), np.bool_), np.zeros(len(look.sizes) + 1, np.int64)

    def view(self, statistics: Statistics) -> list[RowWarning]:
        """All that was found, each kind once."""
        self._look_at_waiting()
        return self._findings.view() + _label_warnings(statistics) + self._untrained()

    def _look_at_waiting(self) -> None:
        if not self._waiting:
            return
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        repeated = self._rows.add_all(digests_of_lines([stored for _, stored in waiting]))
        exchanges = [self._shape.exchange(row.value) for row, _ in waiting]
        asks = np.array([exchange.verdict is not None and bool(exchange.asked) for exchange in exchanges], np.bool_)
        asked = digests_of_texts([exchange.asked.encode() for exchange in exchanges])
        verdicts = digests_of_texts([(exchange.verdict or "").encode() for exchange in exchanges])
        contradicts = self._contradictions(asked, verdicts, ~repeated & asks)
        for place, (row, _) in enumerate(waiting):
            if repeated[place]:
                self._repeats(row)
            elif is_near_empty(exchanges[place].answer):
                self._says_nothing(row, exchanges[place])
            if contradicts[place]:
                self._contradicts(row)
            if self._characters > 0:
                self._spelling(row)

    def _contradictions(self, asked: Digests, verdict: Digests | None, compared: Flags) -> Flags:
        """Which rows ask what an earlier one did, and have another answer."""
        found = np.zeros(len(compared), np.bool_)
        if verdict is not None and compared.any():
            verdicts = verdict[compared]
            earlier = self._verdicts.put_all(asked[compared], verdicts)
            found[compared] = (earlier != 0) & (earlier != verdicts)
        return found

    def _repeats(self, row: ParsedRow) -> None:
        self._findings.add("duplicate_rows", row, None, "this row repeats an earlier one", "duplicates")

    def _says_nothing(self, row: ParsedRow, exchange: Exchange) -> None:
        message = f"the answer says next to nothing: «{exchange.answer.strip()[:20]}»"
        self._findings.add("near_empty_answer", row, None, message, "near-empty")

    def _contradicts(self, row: ParsedRow) -> None:
        message = "an earlier row asks the same and has another answer"
        self._findings.add("different_answers", row, None, message, None)

    def _spelling(self, row: ParsedRow) -> None:
        for where, text in texts_of(row.value):
            text = text[: max(self._characters, 0)]
            self._characters -= len(text)
            for fault in find_faults(text):
                message = f"{MESSAGES[fault.code]}: «{fault.snippet.strip()}»"
                self._findings.add(fault.code, row, where, message, fault.repair)

    def _untrained(self) -> list[RowWarning]:
        if self._shape.trained:
            return []
        message = f"no recipe trains {self._shape.name} rows yet; they are kept, checked and can be looked at"
        return [file_warning("not_trained_yet", None, message)]


def _label_warnings(statistics: Statistics) -> list[RowWarning]:
    if statistics.too_many_labels:
        message = f"there are more than {MAX_LABELS:,} labels: is this column a class at all?"
        return [file_warning("too_many_labels", "label", message)]
    if len(statistics.labels) == 1:
        return [file_warning("one_label", "label", "every row has the same label: there is nothing to tell apart")]
    return []
