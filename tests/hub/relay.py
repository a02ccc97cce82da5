"""What stands between a mirror and its upstream: passes requests on, counts them, and can hold a file back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

_CHUNK = 64 << 10
_HELD_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came."""

    path: str
    range: str | None
    authorization: str | None

    @property
    def file(self) -> str | None:
        """The path of the file that was asked for, if one was."""
        return self.path.partition("/resolve/")[2].partition("/")[2] or None


class Relay:
    """`target` is where requests go. A file at `hold_after` stands still after so many bytes, once, until `go_on` is
    set, and sets `held`. With `elsewhere` files are redirected to that address."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.url = ""
        self.elsewhere = ""
        self.asked: list[Asked] = []
        self.hold_after: dict[str, int] = {}
        self.held, self.go_on = threading.Event(), threading.Event()

    def files(self) -> list[str]:
        """The files that were asked for, in order."""
        return sorted(one.file for one in self.asked if one.file is not None)


@contextmanager
def relaying(relay: Relay) -> Iterator[Relay]:
    """Serve `relay` on a free port of this machine; its address is then in `relay.url`."""

    class Handler(_Handler):
        the_relay = relay

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    relay.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield relay
    finally:
        relay.go_on.set()
        server.shutdown()
        thread.join(30)
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    the_relay: Relay
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.close_connection = True
        relay = self.the_relay
        asked = Asked(self.path, self.headers.get("range"), self.headers.get("authorization"))
        relay.asked.append(asked)
        if relay.elsewhere and asked.file is not None:
            self._begin(302, {"location": relay.elsewhere + self.path, "content-length": "0"})
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        headers["x-forwarded-host"] = self.headers["host"]
        try:
            with httpx.stream("GET", relay.target + self.path, headers=headers, timeout=60) as answer:
                self._begin(answer.status_code, answer.headers)
                self._pass(asked.file, answer.iter_raw(_CHUNK))
        except httpx.HTTPError:
            return  # the connection ends before the answer does
        except OSError:
            return  # whoever asked is gone

    def log_message(self, format: str, *args: object) -> None:
        return None

    def _begin(self, status: int, headers: httpx.Headers | dict[str, str]) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ("connection", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("connection", "close")
        self.end_headers()

    def _pass(self, file: str | None, chunks: Iterator[bytes]) -> None:
        hold = self.the_relay.hold_after.pop(file or "", None)
        count = 0
        for chunk in chunks:
            self.wfile.write(chunk)
            count += len(chunk)
            if hold is not None and count >= hold:
                hold = None
                self.wfile.flush()
                self.the_relay.held.set()
                self.the_relay.go_on.wait(_HELD_SECONDS)
