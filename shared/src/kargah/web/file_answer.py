"""A file over HTTP: whole, or the range that was asked for; resumable by its ETag."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import BinaryIO
from urllib.parse import quote

from flask import Request, Response

from kargah.ports.object_store import ObjectStore

Body = Callable[[int, int], tuple[Iterator[bytes], Callable[[], object]]]
"""The bytes from the first position to before the second, and what closes them; an error comes before it returns."""
_CHUNK = 1 << 20
_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


def send(request: Request, path: str, size: int, etag: str, body: Body) -> Response:
    """200 with a file of `size` bytes, 206 with a range of it, 304 when the client has it by this ETag, 416 for a range
    outside of it."""
    headers = _headers(path, etag)
    if request.if_none_match.contains(etag):
        return Response(status=304, headers=headers)
    wanted = _wanted(request, size, etag)
    if wanted is None:
        return Response(status=416, headers={**headers, "content-range": f"bytes */{size}"})
    start, stop = wanted
    partial = "range" in request.headers and _range_applies(request, etag)
    if partial:
        headers["content-range"] = f"bytes {start}-{stop - 1}/{size}"
    headers["content-length"] = str(stop - start)
    response = Response(status=206 if partial else 200, headers=headers)
    if request.method != "HEAD" and stop > start:
        response.response, close = body(start, stop)
        response.call_on_close(close)
    return response


def attachment(name: str) -> str:
    """The header `content-disposition` of a file that is to be kept under `name`."""
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"


def object_body(store: ObjectStore, key: str) -> Body:
    """The store is asked before the headers go out: an error still becomes an error answer."""

    def opened(start: int, stop: int) -> tuple[Iterator[bytes], Callable[[], object]]:
        stack = ExitStack()
        stream = stack.enter_context(store.open(key, offset=start, length=stop - start))
        return _chunks(stream), stack.close

    return opened


def bytes_body(data: bytes) -> Body:
    """Of what is in memory."""
    return lambda start, stop: (iter((data[start:stop],)), lambda: None)


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk


def _headers(path: str, etag: str) -> dict[str, str]:
    return {
        "content-type": "application/octet-stream",
        "content-disposition": attachment(path.rpartition("/")[2]),
        "etag": f'"{etag}"',
        "accept-ranges": "bytes",
        "cache-control": "private, no-cache",
    }


def _wanted(request: Request, size: int, etag: str) -> tuple[int, int] | None:
    """First byte and the one after the last; None for a range outside of the file. Odd ranges count as none."""
    match = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    if match is None or not _range_applies(request, etag):
        return 0, size
    first, last = match.groups()
    if not first:
        return (max(0, size - int(last)), size) if last and int(last) > 0 and size > 0 else None
    stop = min(int(last) + 1, size) if last else size
    return (int(first), stop) if int(first) < stop else None


def _range_applies(request: Request, etag: str) -> bool:
    """A single range of bytes, and of this very file where the client says which one it has begun."""
    if not _RANGE.fullmatch(request.headers.get("range", "").replace(" ", "")):
        return False
    condition = request.headers.get("if-range")
    return condition is None or condition == f'"{etag}"'
