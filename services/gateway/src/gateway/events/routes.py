"""`GET .../{id}/events`: Server-Sent Events, or a page of stored events for clients that accept JSON alone."""

from __future__ import annotations

from collections.abc import Callable

from flask import Request, Response, request
from pydantic import Field

from gateway.events.followers import Caller
from gateway.events.stream import EventStreams
from gateway.jobs.replies import named
from kargah.contracts.base import Page, WireRequest
from kargah.contracts.jobs import EventView
from kargah.domain.kinds import Kind
from kargah.web.api import Api
from kargah.web.sse import CONTENT_TYPE, last_event_id

_MAX_NUMBER = 2**31 - 1


class EventQuery(WireRequest):
    """`after`: the number of the last event seen (the `Last-Event-ID` header wins). `afterLog` likewise for log
    lines, which have no event id. `last`: of the stored events only so many, for who has no number yet. `limit` and
    `type` (names of events, with commas between them) are for JSON."""

    after: int = Field(default=0, ge=0, le=_MAX_NUMBER)
    after_log: int | None = Field(default=None, ge=0, le=_MAX_NUMBER)
    last: int | None = Field(default=None, ge=0, le=_MAX_NUMBER)
    type: str | None = Field(default=None, min_length=1, max_length=500)
    limit: int = Field(default=500, ge=1, le=1000)


CallerOf = Callable[[Request], Caller]


def add_event_routes(api: Api, streams: EventStreams, caller_of: CallerOf) -> None:
    """`caller_of` tells on whose behalf a request's stream is open."""
    for scope, prefix, kind in (("train_job", "/api/train/jobs", Kind.TRAIN), ("job", "/api/jobs", None)):
        _add(api, streams, caller_of, f"follow_{scope}_events", f"{prefix}/<job_id>/events", kind)


def _add(api: Api, streams: EventStreams, caller_of: CallerOf, name: str, path: str, kind: str | None) -> None:
    @api.get(path, query=EventQuery, returns=Page[EventView], streams=CONTENT_TYPE, tags=["events"])
    @named(name)
    def events(job_id: str, query: EventQuery) -> Page[EventView] | Response:
        """What happens to a job, live: every stored event beyond `after`, then each as it comes, till its end."""
        after = min(last_event_id(request.headers.get("last-event-id"), str(query.after)), _MAX_NUMBER)
        if request.headers.get("last-event-id") is None and query.last is not None:
            after = max(after, streams.newest(job_id, kind) - query.last)
        if _wants_json():
            types = query.type.split(",") if query.type else None
            return _page(streams.page(job_id, after, query.limit, kind, types), query.limit)
        if request.method == "HEAD":
            streams.page(job_id, after, 1, kind)
            return Response(content_type=CONTENT_TYPE)
        return streams.answer(streams.open(job_id, after, query.after_log, kind, caller_of(request)))


def _wants_json() -> bool:
    """A browser's EventSource and `curl` (which accepts anything) get the stream."""
    best = request.accept_mimetypes.best_match([CONTENT_TYPE, "application/json"], CONTENT_TYPE)
    return best == "application/json"


def _page(events: list[EventView], limit: int) -> Page[EventView]:
    """`nextCursor` is what `?after=` takes."""
    cursor = str(events[-1].number) if len(events) == limit else None
    return Page[EventView](items=events, next_cursor=cursor)
