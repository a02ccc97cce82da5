"""The Studio's nginx, started with deploy/studio/nginx.conf on a free port of loopback, and asked what browsers ask.

Only places are changed in the file, and one line: this nginx has no `gzip_static`, so it compresses at the request.
"""

from __future__ import annotations

import gzip
import http.client
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PAGE = b"<!doctype html><title>Studio</title>" + b" " * 2000
_SCRIPT = b"export const one = 1;\n" * 200
_START_SECONDS = 20.0
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Expected:
    """What is answered: the status, the cache-control header, the body (None: anything), and where it leads to."""

    status: int
    kept: str | None = "no-cache"
    body: bytes | None = None
    location: str | None = None


ASKED = {
    "/": Expected(302, location="/studio/"),
    "/studio": Expected(302, location="/studio/"),
    "/studio/": Expected(200, body=_PAGE),
    "/studio/jobs/job_1?tab=log": Expected(200, body=_PAGE),
    "/studio/assets": Expected(200, body=_PAGE),
    "/studio/icon.svg": Expected(200, body=b"<svg/>"),
    "/studio/assets/index-1a2b.js": Expected(200, _FOR_EVER, _SCRIPT),
    "/studio/assets/gone.js": Expected(404, None),
    "/studio/../secret.txt": Expected(404, None),
    "/studio/%2e%2e/secret.txt": Expected(404, None),
    "/secret.txt": Expected(404, None),
    "/api/jobs": Expected(404, None),
    "/healthz": Expected(200, body=b"ok\n"),
}


def problems(nginx: Path, conf: Path, scratch: Path) -> list[str]:
    """What is answered otherwise than `ASKED` says, or without a header that `conf` wants on every answer.

    `scratch` is an empty folder. Raises RuntimeError with what nginx says when it does not start.
    """
    text = conf.read_text(encoding="utf-8")
    always = dict(re.findall(r'add_header (\S+) "?(.*?)"? always;', text))
    if len(always) < 4:
        return [f"{conf} names {sorted(always)} only for every answer"]
    with _started(nginx, text, scratch) as port:
        return [problem for path, expected in ASKED.items() for problem in _asked(port, path, expected, always)]


@contextmanager
def _started(nginx: Path, text: str, scratch: Path) -> Iterator[int]:
    _files(scratch / "srv")
    port = _free_port()
    placed = text.replace("gzip_static on;", "").replace("listen 8084;", f"listen 127.0.0.1:{port};")
    placed = placed.replace("/tmp/", f"{scratch}/").replace("root /srv;", f"root {scratch}/srv;")
    (scratch / "nginx.conf").write_text(placed, encoding="utf-8")
    command = [str(nginx), "-e", "stderr", "-p", str(scratch), "-c", str(scratch / "nginx.conf")]
    with (scratch / "output").open("wb") as output:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=output)
    try:
        _wait(port, process, scratch / "output")
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _files(root: Path) -> None:
    (root / "studio" / "assets").mkdir(parents=True)
    (root / "secret.txt").write_bytes(b"secret")
    (root / "studio" / "index.html").write_bytes(_PAGE)
    (root / "studio" / "icon.svg").write_bytes(b"<svg/>")
    (root / "studio" / "assets" / "index-1a2b.js").write_bytes(_SCRIPT)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int, process: subprocess.Popen[bytes], output: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"nginx does not listen: {output.read_text()}")


def _asked(port: int, path: str, expected: Expected, always: dict[str, str]) -> Iterator[str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"accept-encoding": "gzip"})
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    packed = answer.headers.get("content-encoding") == "gzip"
    seen = Expected(
        answer.status,
        answer.headers.get("cache-control"),
        None if expected.body is None else gzip.decompress(body) if packed else body,
        answer.headers.get("location"),
    )
    if seen != expected:
        yield f"{path}: {seen} instead of {expected}"
    if len(expected.body or b"") > 1000 and not packed:
        yield f"{path}: not compressed"
    for name, value in always.items():
        if answer.headers.get(name) != value:
            yield f"{path}: {name} is {answer.headers.get(name)!r}"
