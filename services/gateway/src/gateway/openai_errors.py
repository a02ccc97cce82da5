"""Errors under `/v1` as the `openai` client reads them."""

from __future__ import annotations

import json

from kargah.contracts.problem import Problem
from kargah.web.envelopes import ErrorBody

_BAD_REQUEST = 400
_SERVER_ERROR = 500
# As their API says it.
_TYPES = {401: "invalid_request_error", 403: "permission_error", 429: "rate_limit_error"}
_CODES = {401: "invalid_api_key", 429: "rate_limit_exceeded"}


def openai_error(problem: Problem) -> ErrorBody:
    """`{"error": {...}}`. A conflict becomes 400: the client would repeat a 409 by itself."""
    status = _BAD_REQUEST if problem.status == 409 else problem.status
    message = problem.detail if problem.hint is None else f"{problem.detail} {problem.hint}"
    error = {
        "message": message,
        "type": "server_error" if status >= _SERVER_ERROR else _TYPES.get(status, "invalid_request_error"),
        "param": problem.errors[0].field if problem.errors else None,
        "code": _CODES.get(status, problem.code),
    }
    body = json.dumps({"error": error}, ensure_ascii=False).encode()
    return ErrorBody(status, "application/json", body)
