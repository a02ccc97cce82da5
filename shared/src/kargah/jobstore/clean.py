"""Make what a trainer says storable: Postgres takes no NUL in text and no NaN in JSON."""

from __future__ import annotations

import math
from typing import Any

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_MAX_TEXT = 16_384


def clean_text(value: str) -> str:
    """`value` without NUL and lone surrogates (each becomes U+FFFD), cut after 16,384 characters."""
    value = value.replace("\0", _REPLACEMENT)
    if not value.isascii():
        value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value if len(value) <= _MAX_TEXT else value[: _MAX_TEXT - 1] + "…"


def clean_json(value: Any) -> Any:
    """`value` with every text cleaned and every number that is not finite turned into None."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {clean_text(str(key)): clean_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean_json(item) for item in value]
    return value
