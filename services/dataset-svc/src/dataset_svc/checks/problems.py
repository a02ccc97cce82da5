"""Collects what is wrong with a file: the first twenty places, and how many there are."""

from __future__ import annotations

from dataset_svc.readers.rows import Fault
from kargah.domain.errors import FieldError, Invalid

SHOWN = 20
MOST = 100_000
"""Reading stops at so many: a file that is no dataset at all is not worth more time."""


class Problems:
    """Faults in the order in which they were found."""

    def __init__(self) -> None:
        self.total = 0
        self._first: list[Fault] = []

    @property
    def full(self) -> bool:
        """Whether there is no point in reading on."""
        return self.total >= MOST

    def add(self, fault: Fault) -> None:
        self.total += 1
        if self.total <= SHOWN:
            self._first.append(fault)

    def refusal(self, rows: int) -> Invalid:
        """The error for the uploader; `rows` is how many rows were read in all."""
        first = self._first[0]
        count = "1 problem" if self.total == 1 else f"{'at least ' if self.full else ''}{self.total:,} problems"
        message = f"{count} in {rows:,} rows; the first at line {first.line}: {first.message}"
        shown = "" if self.total <= SHOWN else f"; the first {SHOWN} are listed"
        return Invalid(
            message,
            f"correct them and upload again{shown}; nothing was kept",
            [_field_error(fault) for fault in self._first],
            total_errors=self.total,
            rows=rows,
        )


def file_refusal(code: str, message: str, hint: str, line: int | None = None) -> Invalid:
    """The error for a file that is wrong as a whole."""
    return Invalid(message, hint, [FieldError("file", message, code, line)], total_errors=1)


def _field_error(fault: Fault) -> FieldError:
    return FieldError(fault.field or "row", fault.message, fault.code, fault.line, fault.byte_offset)
