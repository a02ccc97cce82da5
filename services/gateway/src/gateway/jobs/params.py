"""Check a recipe's parameters against its JSON Schema, with messages that a person can act on."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator

from gateway.jobs.param_messages import explain
from gateway.jobs.submitted import Given, camel_case
from kargah.domain.errors import FieldError

Schema = Mapping[str, Any]


def check_params(
    schema: Schema, params: Mapping[str, Given], *, advanced: bool
) -> tuple[dict[str, Any], list[FieldError]]:
    """The parameters with the schema's defaults filled in, and what is wrong with them.

    Unless `advanced`, a property's `basic` (`{"minimum": 1, "maximum": 100}`) narrows its range.
    """
    properties: Mapping[str, Schema] = schema.get("properties", {})
    errors = [_unknown(given, name, properties) for name, given in params.items() if name not in properties]
    errors += [_missing(name) for name in schema.get("required", []) if name not in params]
    for name, given in params.items():
        if name in properties:
            errors += _check_one(schema, properties[name], given, advanced)
    errors += _check_whole(schema, params) if not errors else []
    defaults = {name: part["default"] for name, part in properties.items() if "default" in part}
    return {**defaults, **{name: given.value for name, given in params.items()}}, errors


def _check_one(schema: Schema, part: Schema, given: Given, advanced: bool) -> list[FieldError]:
    """One parameter; its references into `$defs` are resolved within the whole schema."""
    part = without_null(part, given.value)
    held = narrowed(part, given.value, advanced=advanced)
    error = next(_validator(schema, held).iter_errors(given.value), None)
    if error is None:
        return []
    wider = held != part and next(_validator(schema, part).iter_errors(given.value), None) is None
    return [explain(error, given, part if wider else None)]


def _check_whole(schema: Schema, params: Mapping[str, Given]) -> list[FieldError]:
    """What holds between parameters (`dependentRequired`, `allOf`), once each alone is right."""
    instance = {name: given.value for name, given in params.items()}
    return [
        explain(error, params.get(str(next(iter(error.path), "")), Given(instance, "config")), None)
        for error in Draft202012Validator(dict(schema)).iter_errors(instance)
    ]


def narrowed(part: Schema, value: Any, *, advanced: bool) -> Schema:
    """What `value` is judged by: the wide range, or the one for everybody."""
    part = without_null(part, value)
    return part if advanced else {**part, **part.get("basic", {})}


def without_null(part: Schema, value: Any) -> Schema:
    """An optional number is `anyOf: [number, null]`: for a value that is not null, the one branch that counts."""
    branches = [branch for branch in part.get("anyOf", []) if branch.get("type") != "null"]
    if value is None or len(branches) != 1:
        return part
    return {**{key: item for key, item in part.items() if key != "anyOf"}, **branches[0]}


def _validator(schema: Schema, part: Schema) -> Any:
    return Draft202012Validator({**part, "$defs": schema.get("$defs", {})})


def _unknown(given: Given, name: str, properties: Mapping[str, Schema]) -> FieldError:
    close = difflib.get_close_matches(name, list(properties), n=1)
    known = ", ".join(camel_case(known) for known in sorted(properties))
    hint = f"Did you mean {camel_case(close[0])}?" if close else f"The recipe takes: {known or 'none'}."
    return FieldError(given.field, f"There is no such parameter. {hint}", "unknown_field")


def _missing(name: str) -> FieldError:
    return FieldError(f"config.{camel_case(name)}", "This parameter is required.", "missing")
