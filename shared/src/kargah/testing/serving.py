"""Servers in threads of the test's own process, each on a free port of loopback."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import TCPServer, ThreadingMixIn
from typing import Any

from flask import Flask
from werkzeug.serving import make_server

_LAST_ANSWERS = 2.0  # seconds; a stream of events goes on until it sees that nobody listens


@contextmanager
def running(server: TCPServer) -> Iterator[str]:
    """The URL of a server that is bound to a port of 127.0.0.1; it serves until the block ends, and what it was asked
    last is done by then: a thread that still had a connection to the database would leave it open."""
    answering = _answering(server) if isinstance(server, ThreadingMixIn) else set()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="test-server")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join(timeout=30)
        server.server_close()
        deadline = time.monotonic() + _LAST_ANSWERS
        for one in list(answering):
            one.join(timeout=max(0.0, deadline - time.monotonic()))


def _answering(server: ThreadingMixIn) -> set[threading.Thread]:
    """The threads of requests that are being answered, from now on; the server itself forgets them."""
    answering: set[threading.Thread] = set()
    answer = server.process_request_thread

    def noted(*request: Any) -> None:
        answering.add(threading.current_thread())
        try:
            answer(*request)
        finally:
            answering.discard(threading.current_thread())

    server.process_request_thread = noted  # type: ignore[assignment, method-assign]
    return answering


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The URL of an app, served over HTTP."""
    with running(make_server("127.0.0.1", 0, app, threaded=True)) as url:
        yield url
