"""Errors under `/hub` as the Hub's clients read them: a code in `X-Error-Code`, a text in `X-Error-Message`."""

from __future__ import annotations

import json

from kargah.contracts.problem import Problem
from kargah.web.envelopes import ErrorBody

_LONGEST_MESSAGE = 1000
# By any other words of a 401 the clients are told that there is no such repository.
_NOT_LOGGED_IN = "Invalid credentials in Authorization header"
_CODES = ("RepoNotFound", "RevisionNotFound", "EntryNotFound", "GatedRepo")


def hub_error(problem: Problem) -> ErrorBody:
    """`{"error": ...}`, and headers that hold one line of ASCII each."""
    message = message_of(problem)
    headers = {"x-error-message": _NOT_LOGGED_IN if problem.status == 401 else _one_line(message)}
    if problem.code in _CODES:
        headers["x-error-code"] = problem.code
    body = json.dumps({"error": message}, ensure_ascii=False).encode()
    return ErrorBody(problem.status, "application/json", body, headers)


def message_of(problem: Problem) -> str:
    """What happened, in which fields, and the way out."""
    parts = [problem.detail, *(error.message for error in problem.errors[:5]), problem.hint or ""]
    return " ".join(part for part in parts if part)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_LONGEST_MESSAGE].encode("ascii", "backslashreplace").decode()
