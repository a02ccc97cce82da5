"""What the end of a Parquet file says of its row groups, read without Arrow.

Arrow tells the same, but where a damaged file describes a column wrongly it ends the whole process instead of raising.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from kargah.domain.errors import TooLarge

MOST_BYTES = 16 << 20
_MAGIC, _TAIL, _DEEPEST = b"PAR1", 8, 20
_TRUE, _FALSE, _BYTE, _WHOLE, _DOUBLE, _BINARY, _LISTS, _MAP, _STRUCT = 1, 2, 3, (4, 5, 6), 7, 8, (9, 10), 11, 12
# Numbers of the fields that are wanted; None: the value as it is.
_COLUMN = {3: {3: None, 6: None, 7: None, 9: None, 11: None}}
_WANTED = {4: {1: _COLUMN, 2: None, 3: None}}

Wanted = Mapping[int, Any] | None


@dataclass(frozen=True, slots=True)
class Column:
    """Of one row group: its path, its bytes unpacked and packed, and where it begins in the file."""

    path: str
    unpacked: int
    packed: int
    offset: int


@dataclass(frozen=True, slots=True)
class RowGroup:
    """`size` in bytes, unpacked."""

    rows: int
    size: int
    columns: list[Column]

    @property
    def offset(self) -> int:
        """Where it begins in the file."""
        return self.columns[0].offset if self.columns else 0


def row_groups(stream: BinaryIO) -> list[RowGroup]:
    """In order. Raises ValueError for what is no description of a Parquet file, TooLarge for one of over 16 MiB."""
    end = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, end - _TAIL))
    tail = stream.read(_TAIL)
    size = int.from_bytes(tail[:4], "little")
    if len(tail) < _TAIL or tail[4:] != _MAGIC or size > end - _TAIL:
        raise ValueError("the file does not end as a Parquet file does: it may be cut short")
    if size > MOST_BYTES:
        message = f"the file describes its row groups in {size:,} bytes, and at most {MOST_BYTES:,} are accepted"
        raise TooLarge(message, "write it with larger row groups")
    stream.seek(end - _TAIL - size)
    try:
        described = _Compact(stream.read(size)).struct(_WANTED, 0)
        return [_group(group) for group in described.get(4, [])]
    except (IndexError, TypeError, AttributeError, KeyError) as error:
        raise ValueError("the description of the row groups makes no sense") from error


def _group(fields: dict[int, Any]) -> RowGroup:
    columns = [_column(column[3]) for column in fields.get(1, [])]
    return RowGroup(max(0, int(fields[3])), max(0, int(fields[2])), columns)


def _column(fields: dict[int, Any]) -> Column:
    path = ".".join(part.decode("utf-8", "replace") for part in fields[3])
    return Column(path, int(fields[6]), int(fields[7]), int(fields.get(11) or fields[9]))


class _Compact:
    """Reads Thrift's compact protocol. Raises IndexError at the data's end, ValueError for what cannot be."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def struct(self, wanted: Wanted, depth: int) -> dict[int, Any]:
        """The wanted fields by their numbers."""
        if depth > _DEEPEST:
            raise ValueError("the description is nested too deep")
        found: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._whole()
            kept = wanted is not None and number in wanted
            value = self._value(head & 15, wanted[number] if wanted is not None and kept else None, depth)
            if kept:
                found[number] = value
        return found

    def _value(self, kind: int, wanted: Wanted, depth: int) -> Any:
        if kind in (_TRUE, _FALSE):
            return kind == _TRUE
        if kind in _WHOLE:
            return self._whole()
        if kind in (_BYTE, _DOUBLE, _BINARY):
            return self._bytes({_BYTE: 1, _DOUBLE: 8}.get(kind) or self._count())
        if kind in _LISTS:
            return self._list(wanted, depth)
        if kind == _STRUCT:
            return self.struct(wanted, depth + 1)
        if kind == _MAP:
            return self._map(depth)
        raise ValueError(f"there is no type {kind}")

    def _list(self, wanted: Wanted, depth: int) -> list[Any]:
        head = self._byte()
        count = head >> 4 if head >> 4 < 15 else self._count()
        return self._values(lambda: self._element(head & 15, wanted, depth), count)

    def _map(self, depth: int) -> list[Any]:
        count = self._count()
        kinds = self._byte() if count else 0
        return self._values(
            lambda: (self._element(kinds >> 4, None, depth), self._element(kinds & 15, None, depth)), count
        )

    def _values(self, read: Callable[[], Any], count: int) -> list[Any]:
        if count > len(self._data):
            raise ValueError("a list is longer than the file")
        return [read() for _ in range(count)]

    def _element(self, kind: int, wanted: Wanted, depth: int) -> Any:
        # In lists, truth values have a byte of their own.
        return self._byte() == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind, wanted, depth + 1)

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _bytes(self, size: int) -> bytes:
        self._at += size
        if self._at > len(self._data):
            raise IndexError
        return self._data[self._at - size : self._at]

    def _count(self) -> int:
        found = shift = 0
        while (byte := self._byte()) & 128:
            found, shift = found | (byte & 127) << shift, shift + 7
            if shift > 63:
                raise ValueError("a number has too many bytes")
        return found | byte << shift

    def _whole(self) -> int:
        found = self._count()
        return found >> 1 ^ -(found & 1)
