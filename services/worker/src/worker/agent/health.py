"""`/healthz`, `/readyz` and `/metrics` on a small server of its own, apart from the work."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CollectorRegistry

from kargah.telemetry.metrics import CONTENT_TYPE, exposition

Check = Callable[[], None]
_JSON = "application/json"


class HealthServer:
    """Serves in a thread of its own, from `start` to `close`. `checks` raise when something needed is away."""

    def __init__(self, host: str, port: int, checks: Mapping[str, Check], registry: CollectorRegistry) -> None:
        """Port 0 takes any free one; `port` tells which. Raises OSError when the port is taken."""
        self._checks = checks
        self._registry = registry
        self._server = ThreadingHTTPServer((host, port), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        return self._server.server_port

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, path: str) -> tuple[HTTPStatus, str, bytes]:
        """Status, content type and body for a GET of `path`."""
        match path.partition("?")[0]:
            case "/healthz":
                return HTTPStatus.OK, _JSON, b'{"status": "ok"}'
            case "/readyz":
                return self._ready()
            case "/metrics":
                return HTTPStatus.OK, CONTENT_TYPE, exposition(self._registry)
        return HTTPStatus.NOT_FOUND, _JSON, b'{"status": "not found"}'

    def _ready(self) -> tuple[HTTPStatus, str, bytes]:
        problems = {name: problem for name, check in self._checks.items() if (problem := _problem(check)) is not None}
        body = {"status": "unavailable" if problems else "ok", "checks": dict.fromkeys(self._checks, "ok") | problems}
        status = HTTPStatus.SERVICE_UNAVAILABLE if problems else HTTPStatus.OK
        return status, _JSON, json.dumps(body).encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer = self.answer

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                status, content_type, body = answer(self.path)
                self.send_response(status)
                self.send_header("content-type", content_type)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Probes come every few seconds; they are not worth a line each."""

        return Handler


def _problem(check: Check) -> str | None:
    try:
        check()
    except Exception as error:  # the edge of a probe: whatever is wrong, the answer is that it is not ready
        return type(error).__name__
    return None
