"""What strangers send: refused with the reason, nothing kept, never a 5xx."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from kargah.db.engine import create_engine
from registry.hub.xet import repository
from registry.testing.xet_files import packed_chunk
from tests.hub.client import StockClients
from tests.hub.conftest import PART_BYTES, Hub

pytestmark = pytest.mark.campaign

REPO = "hostile/repo"


@pytest.fixture(scope="session")
def http(hub: Hub) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{hub.registry}/hub", timeout=60) as client:
        client.post("/api/repos/create", json={"name": "repo", "organization": "hostile"}).raise_for_status()
        yield client


def _lines(*lines: Any) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def _file(path: str, data: bytes = b"x") -> dict[str, Any]:
    content = base64.b64encode(data).decode()
    return {"key": "file", "value": {"path": path, "content": content, "encoding": "base64"}}


def _commit(http: httpx.Client, content: bytes, branch: str = "main") -> httpx.Response:
    headers = {"content-type": "application/x-ndjson"}
    return http.post(f"/api/models/{REPO}/commit/{branch}", content=content, headers=headers)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"no json\n", 400),
        (b"[]\n", 400),
        (b'{"key": "file"}\n', 400),
        (_lines({"key": "what", "value": {}}), 400),
        (_lines({"key": "file", "value": {"path": 1, "content": "", "encoding": "base64"}}), 422),
        (_lines({"key": "file", "value": {"path": "a.txt", "content": "?", "encoding": "base64"}}), 400),
        (_lines({"key": "lfsFile", "value": {"path": "a.txt", "oid": "f" * 64, "size": 1}}), 422),
        (_lines({"key": "lfsFile", "value": {"path": "a.txt", "oid": "../x", "size": 1}}), 422),
        (_lines({"key": "lfsFile", "value": {"path": "a.txt", "oid": "f" * 64, "size": 1 << 63}}), 422),
        (_lines(_file("../a.txt")), 422),
        (_lines(_file("a/./b.txt")), 422),
        (_lines(_file("a\\b.txt")), 422),
        (_lines(_file("a\x00.txt")), 422),
        (_lines(_file("a\u202e.txt")), 422),
        (_lines(_file("x" * 600 + ".txt")), 422),
        (_lines(_file(".git/config")), 422),
        (_lines(_file("weights.pkl")), 415),
        (_lines(_file("a.txt"), _file("a.txt/b.txt")), 422),
        (_lines({"key": "deletedFile", "value": {"path": "absent"}}), 404),
        (_lines({"key": "deletedFolder", "value": {"path": ""}}), 404),
        (_lines({"key": "header", "value": {"summary": "s", "parentCommit": "0" * 40}}), 412),
        (b'{"key": "file", "value": {"path": "a.txt", "content": "' + b"A" * (13 << 20), 413),
    ],
)
def test_a_bad_commit_changes_nothing(http: httpx.Client, body: bytes, status: int) -> None:
    before = http.get(f"/api/models/{REPO}").json()["sha"]
    answer = _commit(http, body)
    assert answer.status_code == status and answer.headers["x-error-message"].isascii() and answer.json()["error"]
    assert http.get(f"/api/models/{REPO}").json()["sha"] == before


def test_texts_that_no_database_holds_are_left_out_of_what_is_told(http: httpx.Client) -> None:
    card = "---\nx: 0x" + "f" * 9000 + "\n---\n"
    for file in (_file("config.json", b'{"model_type": "\\u0000\\ud800"}'), _file("README.md", card.encode())):
        assert _commit(http, _lines(file)).status_code == 200
    verdict = http.post("/api/validate-yaml", json={"content": '---\nx: !!int ""\n---\n'})
    assert verdict.status_code == 400 and verdict.json()["errors"]


def test_no_answer_holds_countless_addresses(http: httpx.Client) -> None:
    objects = [{"oid": f"{number:064x}", "size": PART_BYTES * 9000} for number in range(6)]
    body = {"operation": "upload", "transfers": ["multipart"], "objects": objects}
    answer = http.post(f"/{REPO}.git/info/lfs/objects/batch", json=body)
    assert answer.status_code == 413 and "fewer files" in answer.json()["error"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/models/a/b/c",
        "/api/models/..%2f..%2fetc",
        "/api/models/hostile/repo/tree/" + "a/" * 300,
        "/api/models/hostile/repo/revision/%00",
        "/api/models?limit=x",
        "/api/models?cursor=99999999999999999999",
        "/api/models?search=%00",
        "/api/spaces/a/b",
        "/a/b/c/resolve/main/x",
        "/hostile/repo/resolve/main/../../../etc/passwd",
        "/hostile/repo/resolve/abcdef%25/x",
        "/datasets/hostile/repo/resolve/main/x",
        "/xet/v1/reconstructions/" + "a" * 64,
        "/api/models/hostile/repo/xet-read-token/main",
    ],
)
def test_odd_addresses_are_not_found_or_refused(http: httpx.Client, path: str) -> None:
    assert http.get(path).status_code in (400, 404, 422)


def test_bodies_of_the_wrong_kind_are_refused(http: httpx.Client) -> None:
    base = f"/api/models/{REPO}"
    calls = [
        ("POST", "/api/repos/create", {"name": 7}),
        ("POST", "/api/repos/create", {"name": "x", "organization": "a", "type": "space"}),
        ("POST", "/api/repos/move", {"fromRepo": REPO, "toRepo": "../x"}),
        ("POST", "/api/validate-yaml", {"content": "---\na: [\n---"}),
        ("PUT", f"{base}/settings", {"gated": "auto"}),
        ("PUT", f"{base}/settings", {"visibility": "secret"}),
        ("POST", f"{base}/branch/a..b", {}),
        ("POST", f"{base}/tag/main", {"tag": "v1"}),
        ("POST", f"{base}/preupload/main", {"files": [{"path": "a.txt", "size": -1}]}),
        ("POST", f"{base}/preupload/main", {"files": [{"path": "a.txt", "size": 1, "sample": "?"}]}),
        ("POST", f"/{REPO}.git/info/lfs/objects/batch", {"operation": "download", "objects": []}),
        ("POST", f"/{REPO}.git/info/lfs/objects/batch", {"operation": "upload", "objects": [{"oid": "x", "size": 1}]}),
    ]
    for method, path, body in calls:
        answer = http.request(method, path, json=body)
        assert answer.status_code in (400, 404, 422), (path, body, answer.text)


def test_an_address_to_upload_to_is_good_for_one_file(hub: Hub, http: httpx.Client) -> None:
    data = b"these bytes and no others"
    oid = hashlib.sha256(data).hexdigest()
    (found,) = _batch(http, oid, len(data))
    href = httpx.URL(found["actions"]["upload"]["href"])
    assert httpx.put(href, content=b"x" * len(data)).status_code == 422
    assert httpx.put(href, content=data + b"more").status_code == 413
    assert httpx.put(href.copy_set_param("size", "99"), content=data).status_code == 403
    assert httpx.put(href.copy_set_param("expires", str(int(time.time()) - 1)), content=data).status_code == 403
    assert httpx.put(str(href).replace(oid, "0" * 64), content=data).status_code == 403
    assert not list(hub.store.list(f"blobs/{oid}"))
    assert httpx.put(href, content=data).status_code == 200
    assert "actions" not in _batch(http, oid, len(data))[0]


def test_parts_that_do_not_make_the_file_are_refused(hub: Hub, http: httpx.Client) -> None:
    data = bytes(PART_BYTES) + b"rest"
    oid = hashlib.sha256(data).hexdigest()
    (found,) = _batch(http, oid, len(data))
    upload = found["actions"]["upload"]
    assert httpx.put(upload["header"]["1"], content=data[:PART_BYTES]).headers["etag"]
    assert httpx.post(upload["href"], json={}).status_code == 422
    httpx.put(upload["header"]["2"], content=b"other").raise_for_status()
    assert httpx.post(upload["href"], json={}).status_code == 422
    assert httpx.put(upload["header"]["2"].replace("/2?", "/3?"), content=b"x").status_code == 422
    httpx.put(upload["header"]["2"], content=b"rest").raise_for_status()
    assert httpx.post(upload["href"], json={}).status_code == httpx.post(upload["href"], json={}).status_code == 200
    assert not list(hub.store.list("uploads/")) and hub.store.stat(f"blobs/{oid}").size == len(data)


def test_xet_takes_nothing_without_its_token_nor_garbage_with_it(http: httpx.Client) -> None:
    found = http.get(f"/api/models/{REPO}/xet-write-token/main").json()
    assert http.post("/xet/v1/shards", content=b"x").status_code == 403
    good = {"authorization": f"Bearer {found['accessToken']}"}
    late = {"authorization": "Bearer 1." + found["accessToken"].partition(".")[2]}
    assert http.post("/xet/v1/shards", content=b"x", headers=late).status_code == 403
    assert http.post("/xet/v1/shards", content=b"x" * 200, headers=good).status_code == 422
    assert http.post(f"/xet/v1/xorbs/default/{'a' * 64}", content=b"x" * 200, headers=good).status_code == 422
    assert http.post("/xet/v1/xorbs/default/zz", content=b"x", headers=good).status_code == 422


def test_a_damaged_xorb_of_the_client_is_refused(hub: Hub, http: httpx.Client, clients: StockClients) -> None:
    if not clients.xet:
        return
    file = clients.folder / "weights.safetensors"
    file.write_bytes(secrets.token_bytes(300_000))
    before = {found.key for found in hub.store.list("xorbs/")}
    clients("upload", repo_id=REPO, path="weights.safetensors", file=str(file))
    (key,) = {found.key for found in hub.store.list("xorbs/")} - before
    name = key.removeprefix("xorbs/").removesuffix(".chunks")
    sent = _sent(hub, name, hub.store.get(key))
    token = http.get(f"/api/models/{REPO}/xet-write-token/main").json()["accessToken"]
    address, good = f"/xet/v1/xorbs/default/{name}", {"authorization": f"Bearer {token}"}
    refused = http.post(address, content=sent[:100] + bytes([sent[100] ^ 1]) + sent[101:], headers=good)
    assert refused.status_code == 400 and "hash" in refused.json()["error"]
    assert http.post(address, content=sent, headers=good).json() == {"was_inserted": False}


def test_pushes_at_once_are_put_one_after_the_other(http: httpx.Client) -> None:
    def push(number: int) -> int:
        return _commit(
            http, _lines({"key": "header", "value": {"summary": f"{number}"}}, _file(f"{number}.txt"))
        ).status_code

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(push, range(8))) == {200}
    tree = {entry["path"] for entry in http.get(f"/api/models/{REPO}/tree/main").json()}
    assert {f"{number}.txt" for number in range(8)} <= tree
    titles = [commit["title"] for commit in http.get(f"/api/models/{REPO}/commits/main").json()]
    assert {str(number) for number in range(8)} <= set(titles)


def test_a_long_tree_comes_in_pages(http: httpx.Client) -> None:
    http.post("/api/repos/create", json={"name": "many", "organization": "hostile", "type": "dataset"})
    same = {"oid": hashlib.sha256(b"x").hexdigest(), "size": 1}
    more = ({"key": "lfsFile", "value": {"path": f"d/{number:04}.txt", **same}} for number in range(1100))
    for body in (_lines(_file("a.txt")), _lines(*more)):
        http.post("/api/datasets/hostile/many/commit/main", content=body).raise_for_status()
    first = http.get("/api/datasets/hostile/many/tree/main?recursive=true")
    second = httpx.get(first.links["next"]["url"])
    assert len(first.json()) == 1000 and len(second.json()) == 102 and "next" not in second.links
    assert first.links["next"]["url"].startswith(str(http.base_url).rstrip("/"))


def _sent(hub: Hub, xorb: str, data: bytes) -> bytes:
    """A xorb with the chunks that the client chose."""
    engine = create_engine(hub.settings["KARGAH_DATABASE_URL"])
    with engine.connect() as connection:
        index = repository.find(connection, [xorb])[xorb]
    engine.dispose()
    return b"".join(packed_chunk(data[index.begin(number) : end]) for number, end in enumerate(index.ends))


def _batch(http: httpx.Client, oid: str, size: int) -> list[dict[str, Any]]:
    body = {"operation": "upload", "transfers": ["basic", "multipart"], "objects": [{"oid": oid, "size": size}]}
    answer = http.post(f"/{REPO}.git/info/lfs/objects/batch", json=body).raise_for_status()
    found: list[dict[str, Any]] = answer.json()["objects"]
    return found
