"""JSON Schema's complaints as sentences with bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.jobs.submitted import Given
from kargah.domain.errors import FieldError

_BOUNDS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
_LENGTHS = frozenset({"minLength", "maxLength", "minItems", "maxItems"})
_TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "a text",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def explain(error: Any, given: Given, wider: Mapping[str, Any] | None) -> FieldError:
    """`error` is jsonschema's. `wider` is the property without its basic range, where that would do."""
    message, code = _message(error)
    if wider is not None:
        message += f" With config.advanced = true: {range_of(wider)}."
    inner = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.path)
    return FieldError(given.field + inner if given.field != "config" else given.field, message, code)


def range_of(part: Mapping[str, Any]) -> str:
    """`from 1 to 100`, `above 0`, `at most 64`."""
    low, high = part.get("minimum"), part.get("maximum")
    if low is not None and high is not None:
        return f"from {_number(low)} to {_number(high)}"
    words = [
        ("minimum", "at least"),
        ("exclusiveMinimum", "above"),
        ("maximum", "at most"),
        ("exclusiveMaximum", "below"),
    ]
    return (
        " and ".join(f"{word} {_number(part[key])}" for key, word in words if part.get(key) is not None) or "anything"
    )


def _message(error: Any) -> tuple[str, str]:
    rule, wanted = error.validator, error.validator_value
    if rule in _BOUNDS:
        return f"Must be {range_of(error.schema)}; {_shown(error.instance)} was given.", "out_of_range"
    if rule in _LENGTHS:
        return f"Has the wrong length: {_words(rule)} {wanted}.", "out_of_range"
    if rule == "type":
        return f"Must be {_type_words(wanted)}, not {_shown(error.instance)}.", "wrong_type"
    if rule in ("enum", "const"):
        choices = wanted if rule == "enum" else [wanted]
        return f"Must be one of: {', '.join(_shown(choice) for choice in choices)}.", "not_a_choice"
    if rule == "multipleOf":
        return f"Must be a multiple of {_number(wanted)}.", "out_of_range"
    return f"Not acceptable: {error.message}.", "invalid"


def _type_words(wanted: str | list[str]) -> str:
    names = [wanted] if isinstance(wanted, str) else wanted
    return " or ".join(_TYPES.get(name, name) for name in names)


def _words(rule: str) -> str:
    return "at least" if rule.startswith("min") else "at most"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _number(value: float) -> str:
    """Plain where that is short: 100 and 0.01, but 1e-05."""
    return f"{value:g}" if isinstance(value, float) else str(value)
