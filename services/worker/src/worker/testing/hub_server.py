"""A server on loopback that speaks as much of the Hugging Face Hub protocol as a snapshot download needs."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from kargah.testing.serving import running

COMMIT = "0123456789abcdef0123456789abcdef01234567"
_REPOSITORY = "/(?:api/models/|api/datasets/|datasets/)?org/model"
_LFS_SUFFIXES = (".safetensors", ".bin")


class Hub:
    """One repository, `org/model`, asked for as a model or as a data set, at one commit that `main` and `v1` point to.

    `cut_after` drops the connection once, that many bytes into a file; `stall_after` stands still there, once, until
    `go_on` is set, and sets `stalled`. `lies` are served in place of the files. `card` is the front matter.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.url = ""
        self.gated = False
        self.down = False
        self.cut_after: dict[str, int] = {}
        self.stall_after: dict[str, int] = {}
        self.stalled, self.go_on = threading.Event(), threading.Event()
        self.card: dict[str, object] = {}
        self.lies: dict[str, bytes] = {}
        self.ranges: list[tuple[str, int]] = []

    def info(self) -> dict[str, object]:
        siblings = [self._sibling(path) for path in self.files]
        known = {"id": "org/model", "sha": COMMIT, "siblings": siblings, "private": False, "gated": False}
        return {**known, "tags": ["llama"], "downloads": 7, "likes": 1, "cardData": self.card}

    def tree(self) -> list[dict[str, object]]:
        return [self._entry(path) for path in self.files]

    def etag(self, path: str) -> str:
        """The sha256 of a large file, git's sha1 of a small one."""
        data = self.files[path]
        return _sha256(data) if _is_large(path) else _git_sha1(data)

    def _sibling(self, path: str) -> dict[str, object]:
        data = self.files[path]
        lfs = {"sha256": _sha256(data), "size": len(data), "pointerSize": 130}
        entry = {"rfilename": path, "size": len(data), "blobId": _git_sha1(data)}
        return entry | ({"lfs": lfs} if _is_large(path) else {})

    def _entry(self, path: str) -> dict[str, object]:
        data = self.files[path]
        lfs = {"oid": _sha256(data), "size": len(data), "pointerSize": 130}
        entry = {"type": "file", "path": path, "size": len(data), "oid": _git_sha1(data)}
        return entry | ({"lfs": lfs} if _is_large(path) else {})


def _is_large(path: str) -> bool:
    return path.endswith(_LFS_SUFFIXES)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _git_sha1(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serve `hub` on a free port; its address is then in `hub.url`."""

    class Handler(_Handler):
        the_hub = hub

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as hub.url:
        yield hub


class _Handler(BaseHTTPRequestHandler):
    the_hub: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve(body=True)

    def do_HEAD(self) -> None:
        self._serve(body=False)

    def log_message(self, format: str, *args: object) -> None:
        return None

    def _serve(self, *, body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        if self.the_hub.down:
            self._answer(500, b"{}", {}, body)
        elif path == "/api/models":
            wanted = parse_qs(urlsplit(self.path).query).get("search", [""])[0]
            self._json([self.the_hub.info()] if wanted in "org/model" else [], body)
        elif not re.match(rf"{_REPOSITORY}(/|$)", path):
            self._answer(404, b"{}", {"X-Error-Code": "RepoNotFound"}, body)
        elif self.the_hub.gated:
            self._answer(403, b"{}", {"X-Error-Code": "GatedRepo"}, body)
        else:
            self._serve_repository(path, body)

    def _serve_repository(self, path: str, body: bool) -> None:
        match = re.match(rf"{_REPOSITORY}(?:/(revision|tree|resolve)/([^/]+)(?:/(.*))?)?$", path)
        kind, revision, file = match.groups() if match else ("none", "main", None)
        if revision not in (None, "main", "v1", COMMIT):
            self._answer(404, b"{}", {"X-Error-Code": "RevisionNotFound"}, body)
        elif kind == "tree":
            self._json(self.the_hub.tree(), body)
        elif kind in (None, "revision"):
            self._json(self.the_hub.info(), body)
        elif file in self.the_hub.files:
            self._file(file, body)
        else:
            self._answer(404, b"{}", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT}, body)

    def _file(self, path: str, body: bool) -> None:
        data = self.the_hub.lies.get(path, self.the_hub.files[path])
        headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{self.the_hub.etag(path)}"', "Accept-Ranges": "bytes"}
        if _is_large(path):
            headers |= {"X-Linked-Size": str(len(data)), "X-Linked-Etag": headers["ETag"]}
        start, status = 0, 200
        if match := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")):
            start, status = int(match[1]), 206
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        if body:
            self.the_hub.ranges.append((path, start))
        stall = self.the_hub.stall_after.pop(path, None) if body else None
        cut = self.the_hub.cut_after.pop(path, None) if body else None
        self._answer(status, data[start:], headers, body, cut=cut, stall=stall)

    def _json(self, value: object, body: bool) -> None:
        self._answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"}, body)

    def _answer(
        self,
        status: int,
        data: bytes,
        headers: dict[str, str],
        body: bool,
        cut: int | None = None,
        stall: int | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if body and stall is not None:
            self._stall(data[:stall])
            data = data[stall:]
        if body:
            self._write(data if cut is None else data[:cut])
        if cut is not None:
            self.close_connection = True

    def _stall(self, data: bytes) -> None:
        self._write(data)
        self.the_hub.stalled.set()
        self.the_hub.go_on.wait(60)

    def _write(self, data: bytes) -> None:
        """To a client that may be gone: one that was killed, say."""
        try:
            self.wfile.write(data)
            self.wfile.flush()
        except OSError:
            self.close_connection = True
