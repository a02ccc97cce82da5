"""A web server on loopback that serves files with ranges, and can break off, redirect, change and refuse."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from kargah.testing.serving import running


@dataclass
class FileServer:
    """`cuts`: the connection breaks after so many bytes, once for each entry. `redirects`: path to URL. `statuses`:
    answered in turn before a path is served. `asked`: path, Host and Range of every request."""

    files: dict[str, bytes]
    url: str = ""
    cuts: list[int] = field(default_factory=list)
    redirects: dict[str, str] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    ranges: bool = True
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)


@contextmanager
def serving_files(files: dict[str, bytes]) -> Iterator[FileServer]:
    """Serve on a free port of 127.0.0.1 until the block ends."""
    served = FileServer(files)

    class Handler(_Handler):
        server_of = served

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as served.url:
        yield served


class _Handler(BaseHTTPRequestHandler):
    server_of: FileServer
    timeout = 30

    def do_GET(self) -> None:
        served, path = self.server_of, urlsplit(self.path).path
        served.asked.append((path, self.headers.get("host", ""), self.headers.get("range")))
        if path in served.redirects:
            self._answer(302, b"", {"Location": served.redirects[path]})
        elif served.statuses:
            self._answer(served.statuses.pop(0), b"", {})
        elif path not in served.files:
            self._answer(404, b"", {})
        else:
            self._serve(served.files[path])

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""

    def _serve(self, data: bytes) -> None:
        etag = f'"{hashlib.sha256(data).hexdigest()}"'
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("range", ""))
        if wanted is None or not self.server_of.ranges or self.headers.get("if-range") != etag:
            self._answer(200, data, {"ETag": etag})
            return
        start = int(wanted[1])
        self._answer(206, data[start:], {"ETag": etag, "Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"})

    def _answer(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        cuts = self.server_of.cuts
        with suppress(ConnectionError):  # a client may have gone away
            self.wfile.write(data[: cuts.pop(0)] if cuts and data else data)
        self.close_connection = True
