"""What is not wrong but worth telling: repeated rows, one label only, faults of Persian spelling."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dataset_svc.checks.statistics import MAX_LABELS, Statistics
from dataset_svc.readers.rows import ParsedRow, shortened
from kargah.contracts.datasets import RowProblem
from kargah.formats.persian import find_issues

_REMEMBERED = 200_000
_CHARACTERS = 200_000
_PERSIAN = re.compile("[\u0600-\u06ff]")


@dataclass(slots=True)
class _Seen:
    """A kind of warning: its first place, and how many more there are."""

    first: ParsedRow
    field: str | None
    message: str
    count: int = 1


class Warnings:
    """Looks at every good row, within fixed bounds of memory and time.

    Repeats are looked for among the first 200,000 rows, spelling in the first 200,000 characters.
    """

    def __init__(self) -> None:
        self._hashes: set[int] = set()
        self._repeated: _Seen | None = None
        self._issues: dict[str, _Seen] = {}
        self._characters = _CHARACTERS

    def add(self, row: ParsedRow, stored: bytes) -> None:
        """Look at one row; `stored` is its line."""
        digest = hash(stored)
        if digest in self._hashes:
            self._repeat(row)
        elif len(self._hashes) < _REMEMBERED:
            self._hashes.add(digest)
        if self._characters > 0:
            self._spelling(row)

    def view(self, statistics: Statistics) -> list[RowProblem]:
        """All that was found, each kind once."""
        found = [_problem(code, seen, "") for code, seen in self._issues.items()]
        if self._repeated is not None:
            found.insert(0, _problem("duplicate_rows", self._repeated, "rows repeat an earlier one"))
        return found + _label_warnings(statistics)

    def _repeat(self, row: ParsedRow) -> None:
        if self._repeated is None:
            self._repeated = _Seen(row, None, "this row repeats an earlier one")
        else:
            self._repeated.count += 1

    def _spelling(self, row: ParsedRow) -> None:
        for field, text in _texts(row.value):
            text = text[: self._characters]
            self._characters -= len(text)
            if not _PERSIAN.search(text):
                continue
            for issue in find_issues(text):
                seen = self._issues.get(issue.code)
                if seen is None:
                    message = f"{issue.message}: «{issue.snippet.strip()}»"
                    self._issues[str(issue.code)] = _Seen(row, shortened(field), message)
                else:
                    seen.count += 1


def _problem(code: str, seen: _Seen, many: str) -> RowProblem:
    more = f" ({seen.count:,} {many or 'places'} in all)" if seen.count > 1 else ""
    first = seen.first
    return RowProblem(
        line=first.line, byte_offset=first.byte_offset, field=seen.field, code=code, message=seen.message + more
    )


def _label_warnings(statistics: Statistics) -> list[RowProblem]:
    if statistics.too_many_labels:
        message = f"there are more than {MAX_LABELS:,} labels: is this column a class at all?"
        return [RowProblem(line=1, byte_offset=None, field="label", code="too_many_labels", message=message)]
    if len(statistics.labels) == 1:
        message = "every row has the same label: there is nothing to tell apart"
        return [RowProblem(line=1, byte_offset=None, field="label", code="one_label", message=message)]
    return []


def _texts(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The texts of a row: its own, and one level into conversations."""
    for name, value in row.items():
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, list):
            for number, turn in enumerate(value):
                yield from _turn_texts(f"{name}[{number}]", turn)


def _turn_texts(field: str, turn: Any) -> Iterator[tuple[str, str]]:
    if isinstance(turn, str):
        yield field, turn
    elif isinstance(turn, dict):
        yield from ((f"{field}.{key}", text) for key, text in turn.items() if isinstance(text, str))
