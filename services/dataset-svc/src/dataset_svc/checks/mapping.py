"""Column mapping: `question:سوال,answer:جواب` renames the file's columns to the format's fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataset_svc.readers.rows import Fault, ParsedRow, shortened
from kargah.domain.errors import FieldError, Invalid
from kargah.formats.registry import format_named, formats


def parse_mapping(text: str | None, format_name: str | None) -> dict[str, str]:
    """Field to column. Raises Invalid (field `map`) for bad pairs, unknown fields and repeated names."""
    pairs = [pair.partition(":") for pair in (text or "").split(",") if pair.strip()]
    mapping = {field.strip(): column.strip() for field, _, column in pairs}
    if any(not (field.strip() and column.strip()) for field, _, column in pairs):
        raise _refused("write it as field:column,field:column, for example question:سوال,answer:جواب")
    if len(mapping) < len(pairs) or len(set(mapping.values())) < len(pairs):
        raise _refused("each field and each column may stand only once")
    _refuse_unknown(mapping, format_name)
    return mapping


def _refuse_unknown(mapping: Mapping[str, str], format_name: str | None) -> None:
    chosen = [format_named(format_name)] if format_name else formats().values()
    known = sorted({field for candidate in chosen for field in candidate.fields})
    unknown = next((field for field in mapping if field not in known), None)
    if unknown is not None:
        raise _refused(f"{shortened(unknown)!r} is no field of the format; the fields are {', '.join(known)}")


def _refused(message: str) -> Invalid:
    return Invalid(f"map: {message}", None, [FieldError("map", message)])


def mapped(row: ParsedRow, mapping: Mapping[str, str]) -> ParsedRow | Fault:
    """The row with its columns renamed, or why that cannot be: a column is missing, or its new name is taken."""
    value = row.value
    for field, column in mapping.items():
        if column not in value:
            return _fault(row, column, "missing", f"no column `{column}`, which the mapping gives to `{field}`")
        if field in value and field not in mapping.values():
            return _fault(row, field, "column_taken", f"the row has a column `{field}` beside `{column}`")
    names = {column: field for field, column in mapping.items()}
    renamed: dict[str, Any] = {names.get(key, key): item for key, item in value.items()}
    return ParsedRow(row.line, row.byte_offset, renamed)


def _fault(row: ParsedRow, field: str, code: str, message: str) -> Fault:
    return Fault(row.line, row.byte_offset, shortened(field), code, message)
