"""Collects warnings by code: how often each was found, and the first few places."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dataset_svc.checks.arrays import Flags
from dataset_svc.readers.rows import ParsedRow, shortened
from kargah.contracts.datasets import RowPlace, RowWarning

PLACES = 5


@dataclass(slots=True)
class _Finding:
    message: str
    repair: str | None
    count: int = 0
    places: list[RowPlace] = field(default_factory=list)


class Findings:
    """Warnings in the order in which each kind was first met."""

    def __init__(self) -> None:
        self._found: dict[str, _Finding] = {}

    def add(self, code: str, row: ParsedRow, where: str | None, message: str, repair: str | None) -> None:
        """One more of that kind; the message is the first one's."""
        finding = self._found.get(code) or self._found.setdefault(code, _Finding(message, repair))
        finding.count += 1
        if len(finding.places) < PLACES:
            place = None if where is None else shortened(where)
            finding.places.append(RowPlace(line=row.line, byte_offset=row.byte_offset, field=place))

    def count_all(self, code: str, found: Flags) -> Flags:
        """Count all that are found of a kind whose first places are known; what is left to be added one by one."""
        finding = self._found.get(code)
        if finding is None or len(finding.places) < PLACES:
            return found
        finding.count += int(np.count_nonzero(found))
        return np.zeros_like(found)

    def view(self) -> list[RowWarning]:
        """As the contract shows them."""
        return [_warning(code, finding) for code, finding in self._found.items()]


def file_warning(code: str, where: str | None, message: str) -> RowWarning:
    """A warning about the file as a whole."""
    return RowWarning(line=1, byte_offset=None, field=where, code=code, message=message)


def _warning(code: str, finding: _Finding) -> RowWarning:
    more = f" ({finding.count:,} in all)" if finding.count > 1 else ""
    first = finding.places[0]
    return RowWarning(
        line=first.line,
        byte_offset=first.byte_offset,
        field=first.field,
        code=code,
        message=finding.message + more,
        count=finding.count,
        places=finding.places,
        repair=finding.repair,
    )
