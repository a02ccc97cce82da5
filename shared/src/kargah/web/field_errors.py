"""Pydantic's errors in the caller's own words: the field as it was spelled in the request."""

from __future__ import annotations

import difflib
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from kargah.domain.errors import FieldError

_CODES = {"extra_forbidden": "unknown_field", "missing": "missing"}


def field_errors(error: ValidationError, submitted: Any, model: type[BaseModel]) -> list[FieldError]:
    """One entry per complaint, in pydantic's order; messages name the bound that was passed."""
    return [_field_error(detail, submitted, model) for detail in error.errors(include_url=False)]


def join(path: str, part: str | int) -> str:
    """`config` and `epochs` make `config.epochs`; an index makes `rows[3]`."""
    if isinstance(part, int):
        return f"{path}[{part}]"
    return f"{path}.{part}" if path else part


def _field_error(detail: ErrorDetails, submitted: Any, model: type[BaseModel]) -> FieldError:
    kind = detail["type"]
    return FieldError(
        field=_path(detail, submitted) or "body", message=_message(detail, model), code=_CODES.get(kind, kind)
    )


def _path(detail: ErrorDetails, submitted: Any) -> str:
    """Walk the input along pydantic's location, leaving out what is no field: tags of unions and validators."""
    path, here = "", submitted
    for part in detail["loc"]:
        if _is_member(here, part):
            path, here = join(path, part), here[part]
        elif detail["type"] == "missing" and part == detail["loc"][-1]:
            path = join(path, part)
    return path


def _is_member(container: Any, part: str | int) -> bool:
    if isinstance(container, list):
        return isinstance(part, int) and part < len(container)
    return isinstance(container, dict) and part in container


def _message(detail: ErrorDetails, model: type[BaseModel]) -> str:
    if detail["type"] == "extra_forbidden":
        return "There is no such field." + _suggestion(detail, model)
    if detail["type"] == "missing":
        return "This field is required."
    return f"{detail['msg']}."


def _suggestion(detail: ErrorDetails, model: type[BaseModel]) -> str:
    """Only for the outermost object: deeper ones would need the nested model, which the error does not carry."""
    if len(detail["loc"]) != 1:
        return ""
    known = sorted(field.alias or name for name, field in model.model_fields.items())
    close = difflib.get_close_matches(str(detail["loc"][0]), known, n=1)
    return f" Did you mean {close[0]}?" if close else f" Known fields: {', '.join(known)}."
