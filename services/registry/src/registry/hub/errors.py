"""Errors as the Hub's clients read them: a code in `X-Error-Code`, a text in `X-Error-Message`."""

from __future__ import annotations

import json
from http import HTTPStatus

from kargah.contracts.problem import Problem
from kargah.domain.errors import BadRequest, DomainError, NotFound
from kargah.web.envelopes import ErrorBody

_LONGEST_MESSAGE = 1000
_CODES = ("RepoNotFound", "RevisionNotFound", "EntryNotFound")


class RepoNotFound(NotFound):
    """No repository of that kind and name."""

    code = "RepoNotFound"


class RevisionNotFound(NotFound):
    """The repository has no such branch, tag or commit."""

    code = "RevisionNotFound"


class EntryNotFound(NotFound):
    """The commit has no such file or folder."""

    code = "EntryNotFound"


class NotSupported(BadRequest):
    """A part of the Hub that this one does not have (pull requests, say)."""

    code = "not_supported"


class StaleParent(DomainError):
    """The branch has moved on since the commit that the client built upon."""

    status = HTTPStatus.PRECONDITION_FAILED
    code = "stale_parent"


def hub_error(problem: Problem) -> ErrorBody:
    """`{"error": ...}`, and headers that hold one line of ASCII each."""
    message = message_of(problem)
    headers = {"x-error-message": _one_line(message)}
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
