"""Server-sent events on the wire: their framing, and where a client goes on after it was cut off."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response
from pydantic import BaseModel

from kargah.domain.errors import BadRequest
from kargah.web.outlet import Outlet, Piece
from kargah.web.push import Pusher

CONTENT_TYPE = "text/event-stream"
KEEP_ALIVE_SECONDS = 15.0
KEEP_ALIVE = Piece(b": keep-alive\n\n")
_RETRY = b"retry: 1000\n\n"
_EVENT_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_HEADERS = {"cache-control": "no-cache, no-transform", "x-accel-buffering": "no"}


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event. `data` goes out as JSON on one line (text as it is); `id` is what a client resumes from."""

    event: str
    data: BaseModel | Mapping[str, Any] | str
    id: int | str | None = None


def sse_response(pusher: Pusher, outlet: Outlet) -> Response:
    """A stream of what is sent to `outlet`, until that ends, the client leaves or this process is asked to stop.

    Whoever fills it sends `KEEP_ALIVE` every `KEEP_ALIVE_SECONDS`: proxies end connections on which nothing happens.
    """
    return pusher.response(outlet, _HEADERS, CONTENT_TYPE, _RETRY)


def last_event_id(header: str | None, query: str | None = None) -> int:
    """Where a client wants to go on: `Last-Event-ID`, or a query parameter for the first connection; else 0.

    Raises `BadRequest` when it is no event number.
    """
    text = header or query or "0"
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise BadRequest("Last-Event-ID must be the number of an event.")
    return int(text)


def frame(event: ServerEvent) -> bytes:
    """The event on the wire. Raises `ValueError` for an event name that would break the framing."""
    if not _EVENT_NAME.fullmatch(event.event):
        raise ValueError(f"not an event name: {event.event!r}")
    lines = [f"event: {event.event}"]
    if event.id is not None:
        lines.append(f"id: {_one_line(str(event.id))}")
    lines += [f"data: {line}" for line in re.split(r"\r\n|\r|\n", _text(event.data))]
    return ("\n".join(lines) + "\n\n").encode()


def _text(data: BaseModel | Mapping[str, Any] | str) -> str:
    if isinstance(data, str):
        return data
    if isinstance(data, BaseModel):
        return data.model_dump_json(by_alias=True)
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _one_line(text: str) -> str:
    if re.search(r"[\r\n\0]", text):
        raise ValueError(f"not an event id: {text!r}")
    return text
