"""Server-sent events: an endless answer out of an iterator, kept alive while nothing happens."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from flask import Response
from pydantic import BaseModel

from kargah.domain.errors import BadRequest
from kargah.web.shutdown import stopping

CONTENT_TYPE = "text/event-stream"
KEEP_ALIVE_SECONDS = 15.0
_RETRY_MILLISECONDS = 1000
_EVENT_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_HEADERS = {"cache-control": "no-cache, no-transform", "x-accel-buffering": "no"}


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event. `data` goes out as JSON on one line (text as it is); `id` is what a client resumes from."""

    event: str
    data: BaseModel | Mapping[str, Any] | str
    id: int | str | None = None


Source = Generator[ServerEvent | None, None, None]


def sse_response(source: Source, *, keep_alive_seconds: float = KEEP_ALIVE_SECONDS) -> Response:
    """Stream `source` until it ends, the client leaves or this process is asked to stop.

    `source` yields None, at least once a second, while it has nothing: that is when comments keep the connection
    alive and when leaving is noticed. It is closed at the end, so its `finally` blocks run.
    """
    return Response(_frames(source, keep_alive_seconds), content_type=CONTENT_TYPE, headers=_HEADERS)


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


def _frames(source: Source, keep_alive_seconds: float) -> Iterator[bytes]:
    with closing(source):
        yield f"retry: {_RETRY_MILLISECONDS}\n\n".encode()
        quiet_since = time.monotonic()
        for event in source:
            if stopping.is_set():
                return
            if event is not None:
                yield frame(event)
            elif time.monotonic() - quiet_since >= keep_alive_seconds:
                yield b": keep-alive\n\n"
            else:
                continue
            quiet_since = time.monotonic()


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
