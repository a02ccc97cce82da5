"""Answers given before the request was read to its end, as refusals of large bodies are.

gunicorn promises to keep such a connection and then closes it, so that a client's next request on it fails, and a
reset may overtake the answer. Here the answer says `Connection: close`, and what the client still sends is read and
dropped for a moment, so that the answer arrives. Waiting for a silent client is bounded as well.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from gunicorn.http.errors import ParseException
from werkzeug.wsgi import ClosingIterator

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SILENCE_SECONDS = 60.0
_DRAIN_SECONDS = 2.0
_DRAIN_BYTES = 64 << 20
_CHUNK = 64 << 10
_SMALL_BODY = 32 << 10  # gunicorn drops as much by itself and keeps the connection

_current = threading.local()


def remember_request(_worker: Any, request: Any) -> None:
    """gunicorn's `pre_request` hook: keeps its request object, the only way to close a connection on purpose."""
    _current.request = request


def close_after_this() -> None:
    """Have the answer at hand say that its connection ends with it. Before its headers are sent, in the request's own
    thread."""
    _current.request.force_close()


def closing_after_refusals(app: WSGIApplication, slow_seconds: float) -> WSGIApplication:
    """Wrap `app`; needs `remember_request` as the server's hook. Nobody is waited for in silence for longer than a
    minute, or `slow_seconds` if that is more."""
    silence = max(_SILENCE_SECONDS, slow_seconds)

    def wrapped(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["gunicorn.socket"].settimeout(silence)
        refused = threading.Event()

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            if status >= "4" and _has_large_body(environ):
                close_after_this()
                refused.set()
            return start_response(status, headers, exc_info)

        answer = app(environ, start)
        return ClosingIterator(answer, [lambda: _drop_rest(environ)]) if refused.is_set() else answer

    return wrapped


def _has_large_body(environ: WSGIEnvironment) -> bool:
    if "HTTP_TRANSFER_ENCODING" in environ:
        return True
    length = environ.get("CONTENT_LENGTH") or "0"
    return not length.isdecimal() or int(length) > _SMALL_BODY


def _drop_rest(environ: WSGIEnvironment) -> None:
    deadline = time.monotonic() + _DRAIN_SECONDS
    dropped = 0
    try:
        while dropped < _DRAIN_BYTES and (left := deadline - time.monotonic()) > 0:
            environ["gunicorn.socket"].settimeout(left)
            data = environ["wsgi.input"].read(_CHUNK)
            if not data:
                return
            dropped += len(data)
    except (OSError, ParseException):
        return  # the client left, fell silent or broke its own framing: nobody to answer any more
