"""The ids that tie the records of one request, job or attempt together, across threads and services."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, TypeVar

import structlog

from kargah.telemetry import traces

if TYPE_CHECKING:
    import httpx

REQUEST_ID = "x-request-id"
_NAME = "request_id"
Result = TypeVar("Result")


def bound(**ids: object) -> AbstractContextManager[None]:
    """Add `ids` to each log record within the block; those that are None are left out."""
    return structlog.contextvars.bound_contextvars(**{name: value for name, value in ids.items() if value is not None})


def request_id() -> str | None:
    """The id of the request that is being answered, or that what is being done goes back to."""
    found = structlog.contextvars.get_contextvars().get(_NAME)
    return found if isinstance(found, str) else None


def pass_on(request: httpx.Request) -> None:
    """An event hook for httpx: the service that is called writes the same request id into its records."""
    known = request_id()
    if known is not None:
        request.headers.setdefault(REQUEST_ID, known)


def origin() -> dict[str, str]:
    """Where what is being done comes from, to be kept with work that others do later: `request_id`, `traceparent`."""
    known = {_NAME: request_id(), "traceparent": traces.traceparent()}
    return {name: value for name, value in known.items() if value is not None}


def in_this_context(run: Callable[[], Result]) -> Callable[[], Result]:
    """`run`, to be called once in another thread with the ids, scope and span that there are here."""
    context = contextvars.copy_context()
    return lambda: context.run(run)
