"""Read JSON from strangers: bounded, unambiguous, and free of text that no database can hold."""

from __future__ import annotations

import json
import math
import re
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from kargah.domain.errors import BadRequest, FieldError, Invalid
from kargah.web.field_errors import field_errors, join

MAX_DEPTH = 64
_MAX_ERRORS = 20

Model = TypeVar("Model", bound=BaseModel)

# Strings are swallowed whole (also one that never ends), so that brackets inside them do not count. Possessive
# quantifiers keep this linear on any input.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def parse_model(data: bytes, model: type[Model]) -> Model:
    """`data` as an instance of `model`. Raises `BadRequest` or `Invalid` naming every field."""
    submitted = parse(data)
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        raise Invalid(_summary(error), errors=field_errors(error, submitted, model)[:_MAX_ERRORS]) from error


def parse(data: bytes) -> Any:
    """`data` as plain Python values.

    Raises `BadRequest` for what is not JSON: not UTF-8, deeper than 64, NaN or Infinity, a key given twice.
    Raises `Invalid` for NUL characters and lone surrogates, naming the field.
    """
    if not data.strip():
        raise BadRequest("The request has no body; a JSON object is needed.")
    text = _decoded(data)
    _check_depth(data)
    value = _loaded(text)
    if found := unstorable_fields(value):
        raise Invalid("Some text cannot be stored.", errors=found[:_MAX_ERRORS])
    return value


def unstorable_fields(value: Any, path: str = "") -> list[FieldError]:
    """The places in `value` whose text no database or file can hold. Recursion is bounded by MAX_DEPTH."""
    if isinstance(value, str):
        return [_unstorable(path)] if _UNSTORABLE.search(value) else []
    if isinstance(value, list):
        return [error for index, item in enumerate(value) for error in unstorable_fields(item, join(path, index))]
    if isinstance(value, dict):
        return [error for key, item in value.items() for error in _unstorable_member(key, item, path)]
    return []


def _unstorable_member(key: str, item: Any, path: str) -> list[FieldError]:
    if _UNSTORABLE.search(key):
        return [_unstorable(join(path, key.encode("utf-8", "backslashreplace").decode().replace("\0", "\\u0000")))]
    return unstorable_fields(item, join(path, key))


def _unstorable(path: str) -> FieldError:
    return FieldError(path or "body", "The NUL character and lone surrogates are not allowed.", "unstorable_text")


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest(f"The body is not UTF-8 (byte {error.start}).") from error


def _check_depth(data: bytes) -> None:
    depth = 0
    for match in _TOKEN.finditer(data):
        token = match.group()
        if token in (b"[", b"{"):
            depth += 1
            if depth > MAX_DEPTH:
                raise BadRequest(f"The JSON is nested deeper than {MAX_DEPTH} levels (byte {match.start()}).")
        elif token in (b"]", b"}"):
            depth -= 1


def _loaded(text: str) -> Any:
    try:
        return json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite, parse_int=_short
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise BadRequest(f"The body is not JSON: {error.msg} ({place}).") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for key, value in pairs:
        if key in members:
            raise BadRequest(f"The key {key[:100]!r} is given twice in one object.")
        members[key] = value
    return members


def _no_constant(name: str) -> Any:
    raise BadRequest(f"{name} is not a JSON number.")


def _finite(literal: str) -> float:
    number = float(literal)
    if not math.isfinite(number):
        raise BadRequest(f"The number {literal[:40]} is out of range.")
    return number


def _short(literal: str) -> int:
    if len(literal) > 1000:
        raise BadRequest(f"The number {literal[:20]}... has {len(literal)} digits.")
    return int(literal)


def _summary(error: ValidationError) -> str:
    count = error.error_count()
    return "One field is not acceptable." if count == 1 else f"{count} fields are not acceptable."
