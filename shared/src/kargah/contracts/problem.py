"""The one error envelope of `/api`: RFC 9457 problem+json with a code, the fields, and a way out."""

from __future__ import annotations

from kargah.contracts.base import Wire


class ProblemField(Wire):
    """One thing wrong: `field` in the caller's spelling; `line` (1-based) and `byte_offset` for uploaded files."""

    field: str
    message: str
    code: str = "invalid"
    line: int | None = None
    byte_offset: int | None = None


class Problem(Wire):
    """`title` is the status phrase, `detail` says what happened and where, `hint` what to do.

    For a file, `errors` holds the first problems and `total_errors` how many there are in the `rows` that were read.
    """

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    hint: str | None = None
    errors: list[ProblemField] = []
    total_errors: int | None = None
    rows: int | None = None
    request_id: str | None = None
