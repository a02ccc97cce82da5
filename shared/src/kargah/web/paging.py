"""Opaque cursors: where the next page begins, in a form that clients hand back and do not read."""

from __future__ import annotations

import base64
import binascii
import json

from pydantic import Field

from kargah.contracts.base import WireRequest
from kargah.domain.errors import FieldError, Invalid
from kargah.web.strict_json import unstorable_fields

CursorValue = str | int | float | None
_MAX_CURSOR = 1000
_LARGEST = (1 << 31) - 1  # what the columns that lists are ordered by can hold


class PageQuery(WireRequest):
    """`?limit=&cursor=`; inherit to add filters."""

    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = Field(default=None, max_length=_MAX_CURSOR)


def encode_cursor(*values: CursorValue) -> str:
    """The cursor after a row whose sort keys are `values` (times as ISO text)."""
    data = json.dumps(values, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode_cursor(cursor: str, *kinds: type[str] | type[int] | type[float]) -> tuple[CursorValue, ...]:
    """The sort keys in `cursor`, exactly one of each of `kinds`. Raises `Invalid` for anything else."""
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise bad_cursor() from error
    if not isinstance(values, list) or [type(value) for value in values] != list(kinds):
        raise bad_cursor()
    if unstorable_fields(values) or any(isinstance(value, int) and abs(value) > _LARGEST for value in values):
        raise bad_cursor()
    return tuple(values)


def bad_cursor() -> Invalid:
    """The error for a cursor that no earlier page can have given."""
    message = "Not a cursor of this list: take nextCursor from an earlier page."
    return Invalid("The query is not acceptable.", errors=[FieldError("cursor", message, "bad_cursor")])
