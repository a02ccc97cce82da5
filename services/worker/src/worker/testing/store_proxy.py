"""An HTTP proxy before an S3 server that answers, dawdles or breaks off as a test wants."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_CHUNK = 1 << 16
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding"})
_WRITES = frozenset({"PUT", "POST"})
_RESET = struct.pack("ii", 1, 0)
FOR_EVER = 1 << 30


@dataclass
class Fault:
    """What happens to the next `times` requests of `methods` whose path contains `path`.

    `status` is answered instead of the server; `reset_after` bytes of the request's body (of the answer's, when
    reading) the connection is reset; `delay` seconds pass before anything happens.
    """

    times: int = 1
    methods: Collection[str] = _WRITES
    path: str = ""
    status: int | None = None
    reset_after: int | None = None
    delay: float = 0.0


class StoreProxy:
    """Forwards requests as they are, signatures included. `seen` are (method, path) of all, faulty ones included;
    `struck` counts those that a fault met."""

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target).netloc
        self.seen: list[tuple[str, str]] = []
        self.struck = 0
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": self}))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def inject(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def heal(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults.clear()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def fault_for(self, method: str, path: str) -> Fault | None:
        """The fault that meets this request, which is then counted."""
        with self._lock:
            self.seen.append((method, path))
            for fault in self._faults:
                if fault.times > 0 and method in fault.methods and fault.path in path:
                    fault.times -= 1
                    self.struck += 1
                    return fault
        return None


@contextmanager
def store_proxy(target: str) -> Iterator[StoreProxy]:
    """A proxy before the S3 server at `target`, closed at the end."""
    proxy = StoreProxy(target)
    try:
        yield proxy
    finally:
        proxy.close()


class _Reset(Exception):
    """Break the client's connection."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: StoreProxy

    def _serve(self) -> None:
        fault = self.proxy.fault_for(self.command, self.path) or Fault()
        time.sleep(fault.delay)
        try:
            body = self._body(fault)
            if fault.status is not None:
                self._answer(fault.status)
            else:
                self._forward(body, fault)
        except (_Reset, ConnectionError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.close_connection = True

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve

    def _body(self, fault: Fault) -> bytes:
        length = int(self.headers.get("content-length", 0))
        if fault.reset_after is not None and self.command in _WRITES:
            self.rfile.read(min(length, fault.reset_after))
            raise _Reset
        return self.rfile.read(length)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def _forward(self, body: bytes, fault: Fault) -> None:
        upstream = http.client.HTTPConnection(self.proxy.target, timeout=60)
        try:
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _HOP:
                    upstream.putheader(name, value)
            upstream.endheaders(body or None)
            self._pass_on(upstream.getresponse(), fault.reset_after)
        finally:
            upstream.close()

    def _pass_on(self, answer: http.client.HTTPResponse, reset_after: int | None) -> None:
        data = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP | {"date", "server", "content-length"}:
                self.send_header(name, value)
        length = answer.getheader("content-length") if self.command == "HEAD" else None
        self.send_header("content-length", length or str(len(data)))
        self.end_headers()
        if reset_after is not None:
            self.wfile.write(data[:reset_after])
            raise _Reset
        for start in range(0, len(data), _CHUNK):
            self.wfile.write(data[start : start + _CHUNK])

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""
