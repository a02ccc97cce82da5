"""Every error becomes one answer with a code, a way out and the request's id; no internals leave the process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus

from flask import Flask, Response, g, has_request_context, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from kargah.contracts.problem import Problem, ProblemField
from kargah.domain.errors import DomainError
from kargah.telemetry.logging import get_logger
from kargah.web.envelopes import Envelope, choose

_log = get_logger(__name__)
_RETRY_AFTER = {HTTPStatus.SERVICE_UNAVAILABLE: "2", HTTPStatus.TOO_MANY_REQUESTS: "2"}


def register_errors(app: Flask, envelopes: Mapping[str, Envelope]) -> None:
    """Catch everything a handler may raise. `envelopes` maps URL prefixes to error dialects."""

    def answer(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
        error = choose(request.path, envelopes)(problem)
        response = Response(error.body, status=error.status, content_type=error.content_type)
        response.headers.update({**error.headers, **(headers or {})})
        return response

    @app.errorhandler(DomainError)
    def domain(error: DomainError) -> Response:
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            where = None if error.expected else error
            _log.warning("request failed", code=error.code, error=str(error), exc_info=where)
        return answer(problem_of(error), _headers_of(error))

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        headers = {"allow": ", ".join(error.valid_methods or [])} if isinstance(error, MethodNotAllowed) else None
        return answer(_problem_of_http(error), headers)

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        _log.error("unexpected error", exc_info=error)
        return answer(_internal())


def _headers_of(error: DomainError) -> Mapping[str, str]:
    """When to try again; how to say who one is."""
    if error.status == HTTPStatus.UNAUTHORIZED:
        return {"www-authenticate": 'Bearer realm="kargah"'}
    retry = _RETRY_AFTER.get(error.status)
    return {"retry-after": str(error.extra.get("seconds", retry))} if retry else {}


def problem_of(error: DomainError) -> Problem:
    """The wire form of `error`."""
    return Problem(
        title=error.status.phrase,
        status=int(error.status),
        code=error.code,
        detail=error.message,
        hint=error.hint,
        errors=[ProblemField(**asdict(one)) for one in error.errors],
        total_errors=error.total_errors,
        rows=error.rows,
        request_id=_request_id(),
    )


def _problem_of_http(error: HTTPException) -> Problem:
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    return Problem(
        title=status.phrase,
        status=int(status),
        code=status.name.lower(),
        detail=error.description or status.description,
        request_id=_request_id(),
    )


def _internal() -> Problem:
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return Problem(
        title=status.phrase,
        status=int(status),
        code="internal",
        detail="Something went wrong inside the service.",
        hint="The log of the service has the details under this request id.",
        request_id=_request_id(),
    )


def _request_id() -> str | None:
    """None in a thread that answers no request."""
    request_id: str | None = g.get("request_id") if has_request_context() else None
    return request_id
