"""What readers yield: rows and faults, each with its place in the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

ROW_LIMIT = 8 << 20
"""The longest row in bytes; a longer one is a fault and is skipped."""


@dataclass(slots=True)
class ParsedRow:
    """One row. `line` is 1-based and `byte_offset` counts from the file's first byte, both of the row's start.

    `raw` is the row's own JSON where it stands on one line (then it is kept as it is), else None.
    """

    line: int
    byte_offset: int
    value: dict[str, Any]
    raw: bytes | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong: `field` None for the whole row or file."""

    line: int
    byte_offset: int | None
    field: str | None
    code: str
    message: str


Item = ParsedRow | Fault


class Reader(Protocol):
    """Reads a source whose first `start` bytes (a byte-order mark) are already gone. Ends after a fault that it
    cannot read past."""

    def __call__(self, stream: BinaryIO, start: int) -> Iterator[Item]: ...


def shortened(text: str, limit: int = 80) -> str:
    """User text for a message: at most `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def too_long(line: int, byte_offset: int) -> Fault:
    """The fault of a row over the limit."""
    message = f"the row is longer than {ROW_LIMIT >> 20} MiB"
    return Fault(line, byte_offset, None, "row_too_long", message)


def not_utf8(line: int, byte_offset: int) -> Fault:
    """The fault of bytes that are not UTF-8."""
    return Fault(line, byte_offset, None, "encoding", "these bytes are not UTF-8; save the file as UTF-8 and try again")
