"""Names, file names, parameters, bodies and headers that try something."""

from __future__ import annotations

from collections.abc import Iterator

from tests.hostile.case import GOOD, JSONL, TABLE, Hostile

_NAMES = (
    "..", "../x", "a/../b", "a/..", "/etc/passwd", "a//b", "a b", "نام", "a\x00b", "x" * 300, ".hidden", "-x", "a/b/c",
    "a/", "preview", "a/versions", "repairs", "a?b", "a#b", " ", "a\nb", "a\\b", "a%00b", "%2e%2e%2fx", "a;b", "a..b",
    "~", "$HOME", "a\u202eb", "owner/-x", "c:", "a'--", "<b>", "*",
)  # fmt: skip
_FILE_NAMES = (
    "../../etc/passwd", "C:\\Windows\\x.jsonl", "a\u202elnosj.exe", ".gz", ".", "x.jsonl/", "\u200f.jsonl",
    "a\r\nb.jsonl", "x" * 900, "سلام.jsonl", "$(id).jsonl", "<script>.jsonl", "';--.jsonl",
)  # fmt: skip
_QUERIES: tuple[dict[str, str], ...] = (
    {"format": "massages"}, {"format": "../messages"}, {"format": ""}, {"format": "x" * 5000}, {"map": "x" * 20_000},
    {"map": "question"}, {"map": "question:a,question:b"}, {"map": "question:a,answer:a"}, {"map": "nothing:a"},
    {"map": "question:\x00"}, {"format": "text", "map": "question:a"}, {"filename": "x" * 5000}, {"strange": "1"},
    {"version": "1"}, {"map": "question:missing"}, {"filename": "a\x00b"},
)  # fmt: skip


def names() -> Iterator[Hostile]:
    """Good rows under names that are none."""
    for name in _NAMES:
        yield Hostile(f"the dataset {name[:20]!r}", JSONL, dataset=name)
    for name in _FILE_NAMES:
        yield Hostile(f"the file {name[:20]!r}", JSONL, name, outcome="accepted")
    for query in _QUERIES:
        yield Hostile(f"the query {str(query)[:40]}", JSONL, query=query)
    yield Hostile("good rows for another format", JSONL, query={"format": "messages"})
    yield Hostile("a table that is named a list", TABLE, "x.jsonl")
    yield Hostile("a list that is named a table", GOOD + b"\n" + GOOD + b"\n", "x.csv", outcome="accepted")


def requests() -> Iterator[tuple[str, bytes]]:
    """Whole requests, head and body, that break the protocol or end too early."""
    for what, headers in {
        "a length that is too long": "Content-Length: 100000\r\n",
        "a length over the limit": "Content-Length: 99999999999999\r\n",
        "a negative length": "Content-Length: -5\r\n",
        "a length that is no number": "Content-Length: five\r\n",
        "two lengths": "Content-Length: 5\r\nContent-Length: 900\r\n",
        "a length and chunks": "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "chunks that are none": "Transfer-Encoding: chunked\r\n",
        "an unknown coding": "Transfer-Encoding: brotli\r\n",
        "no length": "",
    }.items():
        yield what, _head("PUT", "/api/datasets/hostile/content", headers) + JSONL
    chunked = "Transfer-Encoding: chunked\r\n"
    for what, body in {
        "a chunk that is cut": b"ffff\r\n" + JSONL,
        "a chunk size beyond all bounds": b"f" * 40 + b"\r\n" + JSONL,
        "a negative chunk": b"-5\r\n" + JSONL,
        "no last chunk": b"%x\r\n%b\r\n" % (len(JSONL), JSONL),
    }.items():
        yield what, _head("PUT", "/api/datasets/hostile/content", chunked) + body
    for what, content_type, form in _forms():
        headers = f"Content-Type: {content_type}\r\nContent-Length: {len(form)}\r\n"
        yield what, _head("POST", "/api/datasets", headers) + form


def _head(method: str, path: str, headers: str) -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{headers}\r\n".encode()


def _forms() -> Iterator[tuple[str, str, bytes]]:
    kind = "multipart/form-data; boundary=b"
    name = b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nhostile\r\n'
    file = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.jsonl"\r\n\r\n' + JSONL + b"\r\n"
    yield "a form without a boundary", "multipart/form-data", name + file + b"--b--\r\n"
    yield "a form with another boundary", "multipart/form-data; boundary=c", name + file + b"--b--\r\n"
    yield "a form that is not closed", kind, name + file
    yield "a form without a file", kind, name + b"--b--\r\n"
    yield "a form without a name", kind, file + b"--b--\r\n"
    yield "a form with two files", kind, name + file + file + b"--b--\r\n"
    yield "a form with two names", kind, name + name + file + b"--b--\r\n"
    yield "a form with a strange field", kind, name.replace(b'"name"', b'"shell"') + file + b"--b--\r\n"
    yield "a form whose name climbs", kind, name.replace(b"hostile", b"../../x") + file + b"--b--\r\n"
    yield "a part without a name", kind, name + file.replace(b' name="file";', b"") + b"--b--\r\n"
    yield "a part without its header", kind, b"--b\r\n\r\n" + JSONL + b"\r\n--b--\r\n"
    yield "a header without end", kind, b"--b\r\n" + b"X: " + b"x" * 200_000
    yield "a form of nothing", kind, b""
    yield "no form at all", "application/json", b'{"name":"hostile"}'
    yield "a form cut in the file", kind, name + file[:120]
