"""What is not wrong but worth telling: repeated rows, contradictions, empty answers, faults of spelling."""

from __future__ import annotations

from dataset_svc.checks.digests import DigestMap, DigestSet, digest_of
from dataset_svc.checks.findings import Findings, file_warning
from dataset_svc.checks.near_empty import is_near_empty
from dataset_svc.checks.row_texts import texts_of
from dataset_svc.checks.statistics import MAX_LABELS, Statistics
from dataset_svc.readers.rows import ParsedRow
from kargah.contracts.datasets import RowWarning
from kargah.formats.base import Exchange, Format
from kargah.formats.spelling.repairs import MESSAGES, find_faults

REMEMBERED = 1_000_000
CHARACTERS = 1_000_000


class Warnings:
    """Looks at every good row, within fixed bounds of memory and time.

    Repeats and contradictions are looked for among the first million rows, spelling in the first million characters.
    """

    def __init__(self, shape: Format) -> None:
        self._shape = shape
        self._findings = Findings()
        self._rows = DigestSet(REMEMBERED)
        self._verdicts = DigestMap(REMEMBERED)
        self._characters = CHARACTERS

    def add(self, row: ParsedRow, stored: bytes) -> None:
        """Look at one row; `stored` is its line."""
        if self._rows.add(digest_of(stored)):
            self._findings.add("duplicate_rows", row, None, "this row repeats an earlier one", "duplicates")
        else:
            self._compare(row, self._shape.exchange(row.value))
        if self._characters > 0:
            self._spelling(row)

    def view(self, statistics: Statistics) -> list[RowWarning]:
        """All that was found, each kind once."""
        return self._findings.view() + _label_warnings(statistics) + self._untrained()

    def _compare(self, row: ParsedRow, exchange: Exchange) -> None:
        if is_near_empty(exchange.answer):
            message = f"the answer says next to nothing: «{exchange.answer.strip()[:20]}»"
            self._findings.add("near_empty_answer", row, None, message, "near-empty")
        if exchange.verdict is not None and exchange.asked:
            verdict = digest_of(exchange.verdict)
            if self._verdicts.put(digest_of(exchange.asked), verdict) not in (None, verdict):
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
