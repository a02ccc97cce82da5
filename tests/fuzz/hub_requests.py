"""Requests in the Hub's protocol, good, nearly good and bad: what no OpenAPI document tells how to make."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from registry.testing.xet_files import packed_xorb, shard_of

_JSON = {"content-type": "application/json"}
_FORM = {"content-type": "application/x-www-form-urlencoded"}
_NDJSON = {"content-type": "application/x-ndjson"}
_BINARY = {"content-type": "application/octet-stream"}
_METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]


@dataclass(frozen=True)
class HubRequest:
    """`target`: path and query as they stand in the request line."""

    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Known:
    """What is on the hub: names, revisions and paths; contents of files, tickets to upload some, a token for Xet."""

    names: Sequence[str]
    revisions: Sequence[str]
    paths: Sequence[str]
    contents: Sequence[bytes]
    hrefs: Sequence[str]
    token: str


Draw = Callable[[st.SearchStrategy[Any]], Any]
_odd = st.one_of(
    st.sampled_from(
        ["", ".", "..", "a/../b", "\0", "%", "%2e%2e", "a\u202eb", "کتاب", "x" * 5000, "-", "refs/heads", "v1"]
    ),
    st.text(max_size=30),
)
_numbers = st.one_of(st.integers(-(2**70), 2**70), st.sampled_from([0, 1, 2**31, 2**32, 2**63, 2**64 - 1]))
_values = st.recursive(
    st.one_of(st.none(), st.booleans(), _numbers, st.text(max_size=10), st.floats(allow_nan=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)


def requests_of(known: Known) -> st.SearchStrategy[HubRequest]:
    """One request: of any of the routes, damaged now and then."""
    kinds = [_read, _tree, _paths_info, _resolve, _preupload, _commit, _commit, _batch, _upload, _xorb, _shard, _write]

    @st.composite
    def one(draw: Draw) -> HubRequest:
        request: HubRequest = draw(st.sampled_from(kinds))(known, draw)
        return _damaged(request, draw) if draw(st.integers(0, 4)) == 0 else request

    return one()


def _read(known: Known, draw: Draw) -> HubRequest:
    below = draw(st.sampled_from(["", "", "/refs", "/revision/", "/commits/", "/xet-write-token/", "/what/"]))
    revision = quote(_near(known.revisions, draw), safe="/") if below.endswith("/") else ""
    name = "" if draw(st.integers(0, 3)) == 0 else "/" + _name(known, draw)
    return HubRequest("GET", f"/hub/api/{_kind(draw)}{name}{below if name else ''}{revision}?{_query(draw)}")


def _tree(known: Known, draw: Draw) -> HubRequest:
    place = f"{_near(known.revisions, draw)}/{_near(known.paths, draw)}"
    return HubRequest("GET", f"/hub/api/{_kind(draw)}/{_name(known, draw)}/tree/{quote(place)}?{_query(draw)}")


def _paths_info(known: Known, draw: Draw) -> HubRequest:
    members = [("paths", _near(known.paths, draw)) for _ in range(draw(st.integers(0, 4)))]
    body = urlencode([*members, ("expand", "True")], errors="surrogatepass").encode()
    revision = quote(_near(known.revisions, draw), safe="")
    return HubRequest("POST", f"/hub/api/{_kind(draw)}/{_name(known, draw)}/paths-info/{revision}", _FORM, body)


def _resolve(known: Known, draw: Draw) -> HubRequest:
    ranges = [
        "bytes=0-",
        "bytes=-1",
        "bytes=5-2",
        "bytes=0-0,2-3",
        "bytes=99999999999999999999-",
        "chars=1-2",
        "bytes=",
    ]
    headers = {
        "range": st.one_of(st.sampled_from(ranges), _numbers.map(lambda number: f"bytes={number}-")),
        "if-none-match": st.sampled_from(["*", '"x"', "W/", ""]),
        "accept-encoding": st.sampled_from(["identity", "gzip"]),
        "x-forwarded-host": st.sampled_from(["hub.example", "a b", "[::1", "x:99999999"]),
    }
    chosen = {name: draw(value) for name, value in headers.items() if draw(st.booleans())}
    prefix = draw(st.sampled_from(["", "datasets/", "models/"]))
    place = quote(f"{_near(known.revisions, draw)}/{_near(known.paths, draw)}")
    method = draw(st.sampled_from(["GET", "HEAD"]))
    return HubRequest(method, f"/hub/{prefix}{_name(known, draw)}/resolve/{place}", chosen)


def _preupload(known: Known, draw: Draw) -> HubRequest:
    files = [
        {
            "path": _near(known.paths, draw),
            "size": draw(_numbers),
            "sample": base64.b64encode(draw(st.binary(max_size=20))).decode(),
        }
        for _ in range(draw(st.integers(0, 3)))
    ]
    return HubRequest("POST", _at(known, "preupload", draw), _JSON, _json({"files": files}, draw))


def _commit(known: Known, draw: Draw) -> HubRequest:
    lines = [_json({"key": "header", "value": _header(known, draw)}, draw)] if draw(st.booleans()) else []
    lines += [_line(known, draw) for _ in range(draw(st.integers(0, 5)))]
    end = draw(st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\n\n", b"", b"\r"]))
    return HubRequest("POST", _at(known, "commit", draw), _NDJSON, b"".join(line + end for line in lines))


def _header(known: Known, draw: Draw) -> dict[str, Any]:
    value: dict[str, Any] = {"summary": draw(st.text(max_size=20)), "description": draw(st.text(max_size=20))}
    return value | ({"parentCommit": _near(known.revisions, draw)} if draw(st.booleans()) else {})


def _line(known: Known, draw: Draw) -> bytes:
    path, data = _near(known.paths, draw), draw(st.sampled_from(known.contents))
    oid, size = hashlib.sha256(data).hexdigest(), draw(st.one_of(st.just(len(data)), _numbers))
    lines: list[dict[str, Any]] = [
        {
            "key": "file",
            "value": {"path": path, "content": base64.b64encode(data[:2000]).decode(), "encoding": "base64"},
        },
        {"key": "file", "value": {"path": path, "content": draw(st.text(max_size=20)), "encoding": "utf-8"}},
        {"key": "file", "value": {"path": path, "content": draw(st.text(max_size=20)), "encoding": draw(_odd)}},
        {"key": "lfsFile", "value": {"path": path, "oid": oid, "size": size, "algo": "sha256"}},
        {"key": "lfsFile", "value": {"path": path, "oid": draw(_odd), "size": size}},
        {"key": "deletedFile", "value": {"path": path}},
        {"key": "deletedFolder", "value": {"path": path}},
        {"key": draw(_odd), "value": draw(_values)},
    ]
    return _json(draw(st.sampled_from(lines)), draw)


def _batch(known: Known, draw: Draw) -> HubRequest:
    objects = [
        {
            "oid": draw(st.one_of(st.binary(min_size=32, max_size=32).map(bytes.hex), _odd)),
            "size": draw(st.one_of(st.integers(0, 5_000_000), _numbers)),
        }
        for _ in range(draw(st.integers(0, 3)))
    ]
    transfers = draw(st.sampled_from([["basic"], ["basic", "multipart"], ["xet"], [], [draw(st.text(max_size=5))]]))
    body = {
        "operation": draw(st.sampled_from(["upload", "upload", "download", ""])),
        "objects": objects,
        "transfers": transfers,
    }
    prefix = draw(st.sampled_from(["", "datasets/"]))
    return HubRequest("POST", f"/hub/{prefix}{_name(known, draw)}.git/info/lfs/objects/batch", _JSON, _json(body, draw))


def _upload(known: Known, draw: Draw) -> HubRequest:
    """By a ticket: with the file that it is for, or another, or a part of one, or an empty one."""
    target = draw(st.sampled_from(known.hrefs))
    data = draw(st.sampled_from(known.contents))
    body = draw(st.one_of(st.just(data), st.just(data[: len(data) // 2]), st.binary(max_size=50)))
    if "/complete" in target:
        return HubRequest("POST", target, {"content-type": "application/vnd.git-lfs+json"}, b"{}")
    if "/parts/" in target and draw(st.booleans()):
        target = target.replace("/parts/1", f"/parts/{abs(draw(_numbers))}")
    return HubRequest("PUT", target, _BINARY, body)


def _xorb(known: Known, draw: Draw) -> HubRequest:
    name, body = draw(_xorbs)
    if draw(st.integers(0, 3)) == 0:
        name = draw(st.one_of(st.binary(min_size=32, max_size=32).map(bytes.hex), _odd))
    return HubRequest("POST", f"/hub/xet/v1/xorbs/default/{quote(name, safe='')}", _authorized(known, draw), body)


def _shard(known: Known, draw: Draw) -> HubRequest:
    """Of xorbs that may have come, with terms that may be theirs."""
    terms = []
    for _ in range(draw(st.integers(0, 3))):
        name, _ = draw(_xorbs)
        first, last, size = (draw(st.one_of(st.integers(0, 5), st.integers(0, 2**32 - 1))) for _ in range(3))
        terms.append((name, first, last, size))
    sha256 = hashlib.sha256(draw(st.sampled_from(known.contents))).hexdigest()
    flags = draw(st.one_of(st.sampled_from([1 << 30, 3 << 30]), st.integers(0, 2**32 - 1)))
    return HubRequest("POST", "/hub/xet/v1/shards", _authorized(known, draw), shard_of(sha256, terms, flags=flags))


_xorbs = st.tuples(
    st.lists(st.sampled_from([b"a", b"bc" * 50, bytes(3000), b"\xff" * 4097]), min_size=1, max_size=4),
    st.integers(0, 2),
).map(lambda given: packed_xorb(*given))


def _write(known: Known, draw: Draw) -> HubRequest:
    name, kind = _near(known.names, draw), draw(st.sampled_from(["model", "dataset", None, "space", "\0"]))
    owner, _, last = name.rpartition("/")
    bodies: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/hub/api/repos/create", {"name": last or name, "organization": owner or None, "type": kind}),
        ("DELETE", "/hub/api/repos/delete", {"name": draw(_odd), "organization": owner or None, "type": kind}),
        ("POST", "/hub/api/repos/move", {"fromRepo": draw(_odd), "toRepo": name, "type": kind}),
        ("PUT", _at(known, "settings", draw, last=False), {"visibility": draw(_odd), "private": draw(_values)}),
        ("POST", _at(known, "branch", draw), {"startingPoint": _near(known.revisions, draw)}),
        ("DELETE", _at(known, "branch", draw), {}),
        ("POST", _at(known, "tag", draw), {"tag": _near(known.revisions, draw), "message": draw(st.text(max_size=9))}),
        ("DELETE", _at(known, "tag", draw), {}),
        ("POST", "/hub/api/validate-yaml", {"content": draw(st.text(max_size=60)), "repoType": kind}),
        ("GET", "/hub/api/whoami-v2", {}),
    ]
    method, target, body = draw(st.sampled_from(bodies))
    return HubRequest(method, target, _JSON, _json(body, draw))


def _damaged(request: HubRequest, draw: Draw) -> HubRequest:
    """One thing about it is wrong."""
    match draw(st.integers(0, 4)):
        case 0:
            return HubRequest(draw(st.sampled_from(_METHODS)), request.target, request.headers, request.body)
        case 1:
            place = draw(st.integers(0, max(0, len(request.body) - 1)))
            body = request.body[:place] + draw(st.binary(max_size=4)) + request.body[place + 1 :]
            return HubRequest(request.method, request.target, request.headers, body)
        case 2:
            cut = request.body[: draw(st.integers(0, len(request.body)))]
            return HubRequest(request.method, request.target, request.headers, cut)
        case 3:
            wrong = draw(st.sampled_from(["text/plain", "", "multipart/form-data", "application/json; charset=utf-16"]))
            return HubRequest(request.method, request.target, request.headers | {"content-type": wrong}, request.body)
        case _:
            place = draw(st.integers(5, len(request.target)))
            inserted = quote(draw(_odd)[:300], safe="/?&=")
            return HubRequest(
                request.method,
                request.target[:place] + inserted + request.target[place:],
                request.headers,
                request.body,
            )


def _kind(draw: Draw) -> str:
    kind: str = draw(st.sampled_from(["models", "models", "models", "datasets", "datasets", "spaces"]))
    return kind


def _near(known: Sequence[str], draw: Draw) -> str:
    """Mostly something that is there."""
    text: str = draw(st.sampled_from(known)) if draw(st.integers(0, 7)) else draw(_odd)
    return text


def _name(known: Known, draw: Draw) -> str:
    return quote(_near(known.names, draw), safe="/")


def _at(known: Known, what: str, draw: Draw, *, last: bool = True) -> str:
    place = f"/{quote(_near(known.revisions, draw), safe='')}" if last else ""
    return f"/hub/api/{_kind(draw)}/{_name(known, draw)}/{what}{place}"


def _query(draw: Draw) -> str:
    names = [
        "search",
        "author",
        "filter",
        "sort",
        "limit",
        "cursor",
        "full",
        "blobs",
        "recursive",
        "expand",
        "create_pr",
    ]
    members = draw(
        st.lists(st.tuples(st.sampled_from(names), st.one_of(_odd, _numbers.map(str), st.just("true"))), max_size=3)
    )
    return urlencode([(name, value[:500]) for name, value in members], errors="surrogatepass")


def _authorized(known: Known, draw: Draw) -> dict[str, str]:
    token = known.token if draw(st.integers(0, 5)) else "1.x"
    return {"authorization": f"Bearer {token}", **_BINARY}


def _json(value: Any, draw: Draw) -> bytes:
    """Now and then with a member that is something else."""
    if isinstance(value, dict) and value and draw(st.integers(0, 7)) == 0:
        value = value | {draw(st.sampled_from(sorted(value))): draw(_values)}
    return json.dumps(value, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
