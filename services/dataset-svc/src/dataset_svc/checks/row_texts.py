"""The texts of a row that people wrote: found for the checks, and written anew by the repairs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

# Words of a format, references and identifiers: they mean what they say to a program.
NOT_PROSE = frozenset(
    {"role", "from", "type", "id", "url", "link", "path", "file", "file_name", "audio", "audio_path", "audio_filepath"}
    | {"audio_url", "bytes", "tags", "ner_tags", "pos_tags", "labels", "language", "lang", "sha256"}
)


def texts_of(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Field and text, at any depth."""
    for name, value in row.items():
        if name not in NOT_PROSE:
            yield from _texts(value, name)


def _texts(value: Any, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _texts(item, f"{where}[{number}]")
    elif isinstance(value, dict):
        for name, inner in texts_of(value):
            yield f"{where}.{name}", inner


def with_texts(row: Mapping[str, Any], change: Callable[[str, str], str]) -> dict[str, Any]:
    """The row with every text replaced by `change(field, text)`; everything else as it is."""
    return {name: value if name in NOT_PROSE else _changed(value, name, change) for name, value in row.items()}


def _changed(value: Any, where: str, change: Callable[[str, str], str]) -> Any:
    if isinstance(value, str):
        return change(where, value)
    if isinstance(value, list):
        return [_changed(item, f"{where}[{number}]", change) for number, item in enumerate(value)]
    if isinstance(value, dict):
        return with_texts(value, lambda name, text: change(f"{where}.{name}", text))
    return value
