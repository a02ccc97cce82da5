"""Read a request's body and query, strictly."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar
from urllib.parse import unquote_to_bytes

from flask import Request
from gunicorn.http.errors import ParseException
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException

from kargah.domain.errors import BadRequest, FieldError, Invalid, TooLarge, TooSlow, UnsupportedMedia
from kargah.web.field_errors import field_errors
from kargah.web.pace import LEAST, is_too_slow
from kargah.web.strict_json import parse_model, unstorable_fields

DEFAULT_BODY_BYTES = 1 << 20
PUBLIC_BODY_BYTES = 16 << 10  # of anybody: each holds a thread while it arrives
_CHUNK = 64 << 10

Model = TypeVar("Model", bound=BaseModel)


class RequestBody:
    """The body as it arrives. Servers pass a body that breaks off as if it had ended: here it is an error."""

    def __init__(self, request: Request) -> None:
        self._stream = request.stream
        self._declared = request.content_length or 0
        self._count = 0

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; empty only at the end of a whole body. Raises `BadRequest` when it breaks off, `TooSlow`
        when it trickles."""
        try:
            data = self._stream.read(size)
        except (OSError, ValueError, HTTPException, ParseException) as error:
            raise (_too_slow() if is_too_slow(error) else _broken_off()) from error
        self._count += len(data)
        if size and not data and self._count < self._declared:
            raise _broken_off()
        return data


def read_json(
    request: Request, model: type[Model], *, limit: int = DEFAULT_BODY_BYTES, optional: bool = False
) -> Model:
    """The JSON body as `model`. With `optional`, no body counts as an empty object, whatever the content type."""
    data = read_bytes(request, limit)
    if optional and not data.strip():
        return parse_model(b"{}", model)
    if data and request.mimetype != "application/json" and not request.mimetype.endswith("+json"):
        raise UnsupportedMedia(
            f"The body is {request.mimetype or 'of no declared type'}.", hint="Send content-type: application/json."
        )
    return parse_model(data, model)


def read_bytes(request: Request, limit: int) -> bytes:
    """The whole body, which must not be longer than `limit` bytes: `TooLarge` otherwise, without reading on."""
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    body = RequestBody(request)
    kept = bytearray()
    while chunk := body.read(min(_CHUNK, limit + 1 - len(kept))):
        kept += chunk
        if len(kept) > limit:
            raise _too_large(limit)
    return bytes(kept)


def read_query(request: Request, model: type[Model] | None) -> Model | None:
    """The query string as `model`: unknown and doubled names are `Invalid`. Without a model none is allowed."""
    given = _query_members(request)
    _refuse_unknown(given, _names(model))
    if model is None:
        return None
    try:
        return model.model_validate_strings(given)
    except ValidationError as error:
        raise Invalid("The query is not acceptable.", errors=field_errors(error, given, model)) from error


def check_path(values: dict[str, object]) -> None:
    """Path parameters may hold no text that cannot be stored."""
    if found := unstorable_fields(values):
        raise Invalid("The path is not acceptable.", errors=found)


def _query_members(request: Request) -> dict[str, str]:
    try:
        unquote_to_bytes(request.query_string).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest("The query string is not UTF-8.") from error
    doubled = [name for name, values in request.args.lists() if len(values) > 1]
    if doubled:
        raise Invalid(
            "The query is not acceptable.", errors=[FieldError(name, "Given twice.", "doubled") for name in doubled]
        )
    members = request.args.to_dict()
    if found := unstorable_fields(members):
        raise Invalid("The query is not acceptable.", errors=found)
    return members


def _names(model: type[BaseModel] | None) -> set[str]:
    if model is None:
        return set()
    fields = model.model_fields.items()
    return {name for name, _ in fields} | {field.alias for _, field in fields if field.alias}


def _refuse_unknown(given: Collection[str], known: set[str]) -> None:
    unknown = sorted(set(given) - known)
    if unknown:
        hint = f"Known: {', '.join(sorted(known))}." if known else "This address takes none."
        errors = [FieldError(name, "There is no such query parameter.", "unknown_field") for name in unknown]
        raise Invalid("The query is not acceptable.", hint=hint, errors=errors)


def _broken_off() -> BadRequest:
    return BadRequest("The body breaks off before its end, or its framing is broken.")


def _too_slow() -> TooSlow:
    hint = "send it over a quicker connection, large files in parts"
    return TooSlow(f"The body came slower than {LEAST:,} bytes a second; nothing of it was kept.", hint)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is over the limit of {limit} bytes.")
