"""What goes wrong here, and how OpenAI's clients are told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from kargah.contracts.problem import Problem
from kargah.domain.errors import DomainError, Unavailable
from kargah.ports.object_store import ObjectMissing, StoreUnavailable
from kargah.telemetry.logging import get_logger
from kargah.web.envelopes import ErrorBody
from worker.fetch import BlobCorrupt
from worker.trainer.errors import TrainingError

_log = get_logger(__name__)
_TYPES = {401: "authentication_error", 403: "permission_error", 404: "invalid_request_error", 429: "rate_limit_error"}
_CODES = {"not_found": "model_not_found", "too_many_requests": "rate_limit_exceeded"}


class Busy(DomainError):
    """As many requests wait as may."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too_many_requests"


class NotUsable(DomainError):
    """The request cannot be served by this model: no template, too long a conversation."""

    status = HTTPStatus.BAD_REQUEST
    code = "invalid_request"


class ContextTooLong(DomainError):
    """The conversation leaves no room for an answer."""

    status = HTTPStatus.BAD_REQUEST
    code = "context_length_exceeded"


@contextmanager
def fetching(what: str) -> Iterator[None]:
    """Whatever keeps `what` from being fetched from the store is Unavailable: for the client it is all the same."""
    try:
        yield
    except (StoreUnavailable, ObjectMissing, BlobCorrupt) as error:
        raise Unavailable(f"{what} cannot be read: {error}", hint="Try again in a moment.") from error


@contextmanager
def reading(failed: str) -> Iterator[None]:
    """Whatever the libraries come upon in a model's files, which anybody may have written, is NotUsable; `failed`
    begins its message."""
    try:
        yield
    except DomainError:
        raise
    except TrainingError as error:
        raise NotUsable(error.message, error.hint) from error
    except Exception as error:
        _log.warning("a model's files are not usable", exc_info=error)
        raise NotUsable(f"{failed}: {error or type(error).__name__}") from error


def openai_error(problem: Problem) -> ErrorBody:
    """OpenAI's envelope. What their API answers with 400 does not go out as 422; clients retry neither."""
    status = HTTPStatus.BAD_REQUEST if problem.status == HTTPStatus.UNPROCESSABLE_ENTITY else problem.status
    field = problem.errors[0].field if problem.errors else None
    told = [problem.detail, *(f"{error.field}: {error.message}" for error in problem.errors[:3]), problem.hint or ""]
    body = error_json(" ".join(filter(None, told)), status, problem.code, field)
    return ErrorBody(int(status), "application/json", body)


def error_json(message: str, status: int, code: str, param: str | None = None) -> bytes:
    """The body of an error, also for one that comes in the middle of a stream."""
    kind = "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else _TYPES.get(status, "invalid_request_error")
    error = {"message": message, "type": kind, "param": param, "code": _CODES.get(code, code)}
    return json.dumps({"error": error}, ensure_ascii=False).encode()
