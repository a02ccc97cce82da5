"""A small service for tests of `kargah.web.serve`: `python -m kargah.testing.echo_service`."""

from __future__ import annotations

import hashlib
import threading
import time

from flask import Flask, Response, request
from pydantic import Field

from kargah.contracts.base import Wire, WireRequest
from kargah.telemetry.logging import get_logger
from kargah.web.api import Api
from kargah.web.app import create_app
from kargah.web.multipart import Upload, open_upload, raw_upload
from kargah.web.outlet import Outlet, Piece
from kargah.web.push import Pusher
from kargah.web.serve import serve
from kargah.web.settings import WebSettings
from kargah.web.sse import KEEP_ALIVE, ServerEvent, frame, sse_response

UPLOAD_BYTES = 64 << 20

api = Api("echo", "1")
_background = threading.Event()
_pusher = Pusher()


class Slow(WireRequest):
    """How long to take, in seconds."""

    seconds: float = Field(default=0, ge=0, le=60)


class Taken(Wire):
    """What arrived."""

    size: int
    sha256: str
    name: str | None = None


class Answer(Wire):
    """Whether the hook ran, in this very process."""

    hooked: bool


@api.post("/slow", body=Slow, returns=Answer)
def slow(body: Slow) -> Answer:
    """Answer after a while."""
    get_logger(__name__).info("slow answer begun", seconds=body.seconds)
    time.sleep(body.seconds)
    return Answer(hooked=_background.is_set())


@api.post("/form", returns=Taken, consumes="multipart/form-data")
def form() -> Taken:
    """Take a file."""
    return _take(open_upload(request, limit=UPLOAD_BYTES))


@api.put("/raw", returns=Taken, consumes="application/octet-stream")
def raw() -> Taken:
    """Take a body."""
    return _take(raw_upload(request, limit=UPLOAD_BYTES))


@api.get("/events", produces="text/event-stream")
def events() -> Response:
    """One event, then silence without end."""
    outlet = Outlet()
    outlet.send(Piece(frame(ServerEvent("hello", "there", 1))))
    threading.Thread(target=_keep_alive, args=(outlet,), daemon=True).start()
    return sse_response(_pusher, outlet)


def _keep_alive(outlet: Outlet) -> None:
    while not outlet.closed:
        time.sleep(0.2)
        outlet.send(KEEP_ALIVE)


def _take(upload: Upload) -> Taken:
    digest, size = hashlib.sha256(), 0
    while chunk := upload.stream.read(1 << 20):
        digest.update(chunk)
        size += len(chunk)
    return Taken(size=size, sha256=digest.hexdigest(), name=upload.fields.get("name"))


def _start_background(app: Flask) -> None:
    threading.Thread(target=_background.set, daemon=True).start()
    _pusher.start()


def main() -> None:
    """Serve until SIGTERM."""
    settings = WebSettings()
    serve("echo", lambda: create_app("echo", api, {}, settings), settings, post_worker_init=_start_background)


if __name__ == "__main__":
    main()
