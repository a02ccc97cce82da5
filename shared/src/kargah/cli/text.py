"""Numbers and durations as people read them, settings as people write them."""

from __future__ import annotations

import json
from typing import Any

import typer


def size(count: int) -> str:
    """Bytes with a decimal unit: `93.1 MB`."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def duration(seconds: float | None) -> str:
    """`1:02:03`, `2:03`, or `-` when it is not known."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def figure(value: float | None, digits: int = 4) -> str:
    """A number with `digits` decimals, or `-`."""
    return "-" if value is None else f"{value:.{digits}f}"


def setting(entry: str) -> tuple[str, Any]:
    """`lora_r=16` with the value read as JSON, or taken as text where it is none. Raises BadParameter."""
    key, separator, value = entry.partition("=")
    if not (key and separator):
        raise typer.BadParameter(f"{entry!r} is not name=value", param_hint="--set")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value
