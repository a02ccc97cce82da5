"""Requests in the Hub's protocol at a running registry, until the time is over: no failure, and refusals say why."""

from __future__ import annotations

import base64
import hashlib
import json
from itertools import count
from typing import Any

import httpx
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

from tests.fuzz.campaign import Report, Span
from tests.fuzz.hub_requests import HubRequest, Known, requests_of

PART = 1 << 20
_EXAMPLES = 40
_TIMEOUT = 30.0
_CONTENTS = (b"abc", b"{}", bytes(range(256)) * 9000, b"\0" * 70_000)
_PATHS = ("README.md", "config.json", "dir/a.txt", "dir", "model.safetensors", "new/b.txt")


def fuzz_hub(url: str, span: Span, first_seed: int, auth: httpx.Auth) -> Report:
    """The same seed sends the same requests, but for tickets and commits, which are the hub's own."""
    report = Report()
    with httpx.Client(base_url=url, timeout=_TIMEOUT, trust_env=False, auth=auth) as http:
        known = _prepared(http)
        for number in count(first_seed):
            if span.is_over(report):
                break
            _round(http, known, number, report, span)
        if not http.get("/readyz").is_success:
            report.failures["after it all"] = "the registry is not ready any more"
    return report


def _round(http: httpx.Client, known: Known, number: int, report: Report, span: Span) -> None:
    @seed(number)
    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(requests_of(known))
    def send(request: HubRequest) -> None:
        if not span.is_over(report):
            _judge(http, request, report)

    send()


def _judge(http: httpx.Client, request: HubRequest, report: Report) -> None:
    name = f"{request.method} {_route(request.target)}"
    report.sent[name] += 1
    report.services["registry, as the Hub"] += 1
    url = http.base_url.copy_with(raw_path=request.target.encode("ascii"))
    try:
        answer = http.request(request.method, url, headers=request.headers, content=request.body)
        report.answers[name, answer.status_code] += 1
        problem = _problem(request, answer)
    except httpx.HTTPError as error:
        problem = f"{type(error).__name__}: {error}"
    if problem is not None:
        report.failures.setdefault(f"{name}: {problem[:60]}", f"{problem}\n{request!r}"[:3000])


def _problem(request: HubRequest, answer: httpx.Response) -> str | None:
    """Refusals have a reason in their body, as clients read it, or as a problem where no route was reached."""
    if answer.is_server_error:
        return f"{answer.status_code} {answer.text[:300]}"
    silent = answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE or request.method == "HEAD"
    if silent or not answer.is_client_error:
        return None
    if not answer.headers.get("x-error-message", "").isascii():
        return "a header that is not ASCII"
    try:
        body = answer.json()
        told = body.get("error") or body.get("detail")
    except ValueError:
        told = None
    return None if told else f"{answer.status_code} without a reason: {answer.text[:200]}"


def _route(target: str) -> str:
    """What of a target tells routes apart."""
    words = (
        "resolve",
        "tree",
        "commit",
        "commits",
        "preupload",
        "paths-info",
        "batch",
        "uploads",
        "xorbs",
        "shards",
        "refs",
    )
    words += ("revision", "branch", "tag", "settings", "repos", "validate-yaml", "xet-write-token")
    parts = target.partition("?")[0].split("/")
    return next((word for word in words if word in parts), "others")


def _prepared(http: httpx.Client) -> Known:
    """A model and a dataset with a branch and a tag each; tickets for files whole and in parts."""
    for kind in ("model", "dataset"):
        body = {"name": "m", "organization": "org", "type": kind}
        http.post("/hub/api/repos/create", json=body).raise_for_status()
        lines = [_file(path, b"{}") for path in _PATHS if "." in path and not path.endswith("safetensors")]
        http.post(f"/hub/api/{kind}s/org/m/commit/main", content="".join(lines)).raise_for_status()
        http.post(f"/hub/api/{kind}s/org/m/branch/dev/one", json={}).raise_for_status()
        http.post(f"/hub/api/{kind}s/org/m/tag/main", json={"tag": "t1"}).raise_for_status()
    sha = http.get("/hub/api/models/org/m").json()["sha"]
    token = http.get("/hub/api/models/org/m/xet-write-token/main").json()["accessToken"]
    revisions = ("main", "dev/one", "t1", "latest", sha, sha[:7], "refs/heads/main", "new-one")
    return Known(("org/m", "org/m", "org/m", "m", "org/none"), revisions, _PATHS, _CONTENTS, _tickets(http), token)


def _tickets(http: httpx.Client) -> list[str]:
    objects = [{"oid": hashlib.sha256(data).hexdigest(), "size": len(data)} for data in _CONTENTS]
    body: dict[str, Any] = {"operation": "upload", "objects": objects, "transfers": ["basic", "multipart"]}
    answer = http.post("/hub/org/m.git/info/lfs/objects/batch", json=body).raise_for_status().json()
    hrefs = []
    for action in (found["actions"]["upload"] for found in answer["objects"] if "actions" in found):
        hrefs += [action["href"], *(href for number, href in action["header"].items() if number.isdigit())]
    return [httpx.URL(href).raw_path.decode() for href in hrefs] + ["/hub/api/uploads/x?size=1&expires=9&signature=%FF"]


def _file(path: str, data: bytes) -> str:
    value = {"path": path, "content": base64.b64encode(data).decode(), "encoding": "base64"}
    return json.dumps({"key": "file", "value": value}) + "\n"
