"""Servers in threads of the test's own process, each on a free port of loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import TCPServer

from flask import Flask
from werkzeug.serving import make_server


@contextmanager
def running(server: TCPServer) -> Iterator[str]:
    """The URL of a server that is bound to a port of 127.0.0.1; it serves until the block ends."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="test-server")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join(timeout=30)
        server.server_close()


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The URL of an app, served over HTTP."""
    with running(make_server("127.0.0.1", 0, app, threaded=True)) as url:
        yield url
