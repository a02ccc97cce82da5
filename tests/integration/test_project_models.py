"""Two projects in one registry: the same names side by side, no route to the other's, and no content for its hash."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from kargah.adapters.minio_store import MinioStore
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.scope import EVERY, project_scope
from kargah.testing.fixtures import DatabaseUrlFor
from kargah.testing.scoped_app import routes_of, scoped_client
from kargah.testing.waiting import wait_until
from registry.testing.bench import RegistryBench, model_files, registry_bench, sha256
from registry.testing.xet_files import packed_xorb, shard_of
from worker.testing.hub_server import Hub, serving

ONE, OTHER = "one", "other"
PART = 5 << 20
SECRET = b"nobody else's " * 100
NDJSON = {"content-type": "application/x-ndjson"}


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving(Hub({"config.json": b"{}", "model.safetensors": SECRET})) as served:
        yield served


@pytest.fixture
def registry(hub: Hub, database_url_for: DatabaseUrlFor, object_store: MinioStore) -> Iterator[RegistryBench]:
    mirror = {"upstream_url": hub.url, "mirror": True, "mirror_only": ["org/*"], "hub_redirect": False}
    with registry_bench(database_url_for("registry"), object_store, hub_part_bytes=PART, **mirror) as bench:
        yield bench


@pytest.fixture
def one(registry: RegistryBench) -> RegistryBench:
    return replace(registry, http=scoped_client(registry.registry.app, ONE))


@pytest.fixture
def other(registry: RegistryBench) -> RegistryBench:
    return replace(registry, http=scoped_client(registry.registry.app, OTHER))


def _repository(bench: RegistryBench, name: str = "team/own") -> None:
    owner, _, short = name.partition("/")
    bench.http.post("/hub/api/repos/create", json={"organization": owner, "name": short})


def _commit(bench: RegistryBench, *lines: dict[str, Any], name: str = "team/own") -> Any:
    rows = [{"key": "header", "value": {"summary": "a commit"}}, *lines]
    data = "\n".join(map(json.dumps, rows)).encode()
    return bench.http.post(f"/hub/api/models/{name}/commit/main", data=data, headers=NDJSON)


def _file(path: str, data: bytes) -> dict[str, Any]:
    value = {"path": path, "content": base64.b64encode(data).decode(), "encoding": "base64"}
    return {"key": "file", "value": value}


def _lfs(data: bytes, path: str = "big.safetensors") -> dict[str, Any]:
    return {"key": "lfsFile", "value": {"path": path, "algo": "sha256", "oid": sha256(data), "size": len(data)}}


def _batch(bench: RegistryBench, data: bytes, *transfers: str) -> dict[str, Any]:
    body = {"operation": "upload", "objects": [{"oid": sha256(data), "size": len(data)}]}
    path = "/hub/team/own.git/info/lfs/objects/batch"
    answer = bench.http.post(path, json={**body, "transfers": list(transfers) or ["basic"]})
    found: dict[str, Any] = answer.json["objects"][0]
    return found


def test_the_same_model_side_by_side(one: RegistryBench, other: RegistryBench) -> None:
    first, second = one.version("same"), other.version("same")
    assert first["id"] != second["id"] and (first["version"], second["version"]) == (1, 1)
    assert len(one.blobs()) == len(model_files()), "equal files are stored once"
    other.version("same", model_files(seed=7))
    moved = other.http.put("/api/models/same/aliases/production", json={"version": 2})
    assert moved.status_code == 200 and one.http.get("/api/models/same/aliases").json["items"] == []
    assert [bench.http.get("/hub/api/models/same").json["siblings"][0]["rfilename"] for bench in (one, other)]
    assert one.http.delete("/api/models/same").status_code == 204
    assert [bench.http.get("/api/models").json["total"] for bench in (one, other)] == [0, 1]
    with project_scope(EVERY), UnitOfWork(one.engine) as tx:
        tx.connection.execute(text("UPDATE blobs SET touched_at = now() - interval '1 year'"))
    assert one.registry.blobs.collect() == 0, "the other's files stay"
    assert other.http.get("/api/models/same/files/config.json?version=1").data == model_files()["config.json"]


def test_a_hash_gives_nobody_anothers_bytes(one: RegistryBench, other: RegistryBench) -> None:
    files = model_files()
    one.version("mine", files)
    for bench in (one, other):
        _repository(bench)
    weights = files["model.safetensors"]
    assert one.http.open(f"/api/blobs/{sha256(weights)}", method="HEAD").status_code == 200
    assert other.http.open(f"/api/blobs/{sha256(weights)}", method="HEAD").status_code == 404
    stolen = other.post_version("stolen", files, send=False)
    assert stolen.status_code == 422 and "missing" in stolen.text, stolen.text
    assert "actions" not in _batch(one, weights) and "actions" in _batch(other, weights)
    refused = _commit(other, _lfs(weights))
    assert refused.status_code == 422 and b"not uploaded" in refused.data
    assert other.http.get("/api/models").json["total"] == 0
    # Who sends the bytes has them, and hears nothing of others who do.
    assert other.http.put(f"/api/blobs/{sha256(weights)}", data=weights).status_code == 201
    assert other.http.put(f"/api/blobs/{sha256(weights)}", data=weights).status_code == 200
    assert "actions" not in _batch(other, weights) and _commit(other, _lfs(weights)).status_code == 200
    assert other.http.get("/hub/team/own/resolve/main/big.safetensors").data == weights


def test_small_files_of_a_commit_are_held_by_who_sent_them(one: RegistryBench, other: RegistryBench) -> None:
    for bench in (one, other):
        _repository(bench)
    files = {f"notes/{number}.md": f"note {number}".encode() for number in range(40)}
    assert _commit(one, *(_file(path, data) for path, data in files.items())).status_code == 200
    for data in files.values():
        assert other.http.open(f"/api/blobs/{sha256(data)}", method="HEAD").status_code == 404
        assert one.http.open(f"/api/blobs/{sha256(data)}", method="HEAD").status_code == 200


def test_parts_that_another_sends_complete_nothing(one: RegistryBench, other: RegistryBench) -> None:
    data = b"p" * (PART + 10)
    for bench in (one, other):
        _repository(bench)
    sent, only_asked = (_batch(bench, data, "multipart")["actions"]["upload"] for bench in (one, other))
    for number, part in (("1", data[:PART]), ("2", data[PART:])):
        assert one.http.put(_path(sent["header"][number]), data=part).status_code == 200
    stolen = other.http.post(_path(only_asked["href"]))
    assert stolen.status_code == 422 and b"absent" in stolen.data
    assert one.http.post(_path(sent["href"])).status_code == 200
    assert other.http.post(_path(only_asked["href"])).status_code == 422, "nor once it is whole"
    assert _commit(one, _lfs(data)).status_code == 200 and _commit(other, _lfs(data)).status_code == 422


def test_a_xorb_is_whose_it_was_sent_by(one: RegistryBench, other: RegistryBench) -> None:
    chunks = [b"secret chunk " * 100, b"and another " * 100]
    xorb, packed = packed_xorb(chunks)
    whole = b"".join(chunks)
    shard = shard_of(sha256(whole), [(xorb, 0, 2, len(whole))])
    tokens = {}
    for bench in (one, other):
        _repository(bench)
        answer = bench.http.get("/hub/api/models/team/own/xet-write-token/main")
        tokens[bench.http.project] = {"authorization": f"Bearer {answer.json['accessToken']}"}

    def post(bench: RegistryBench, path: str, data: bytes) -> Any:
        return bench.http.post(f"/hub/xet/v1/{path}", data=data, headers=tokens[bench.http.project])

    assert post(one, f"xorbs/default/{xorb}", packed).json["was_inserted"] is True
    for _ in range(2):  # before the file was made of it, and after
        stolen = post(other, "shards", shard)
        assert stolen.status_code == 422 and b"did not come" in stolen.data
        assert _commit(other, _lfs(whole)).status_code == 422
        assert post(one, "shards", shard).status_code == 200
    assert post(other, f"xorbs/default/{xorb}", packed).json["was_inserted"] is True, "as far as it can know"
    assert post(other, "shards", shard).status_code == 200
    assert _commit(other, _lfs(whole)).status_code == 200
    one.registry.sweeps[-2]()
    with UnitOfWork(one.engine) as tx:
        assert tx.connection.scalar(text("SELECT count(*) FROM holdings WHERE kind = 'xorb'")) == 2


def test_what_a_mirror_only_announces_is_not_had_yet(one: RegistryBench, other: RegistryBench, hub: Hub) -> None:
    """The upstream names a file that another project has sent in private: its bytes come from the upstream."""
    _repository(other)
    other.put(SECRET)
    path = "/hub/org/model/resolve/main/model.safetensors"
    assert one.http.get("/hub/api/models/org/model").status_code == 200
    _repository(one)
    assert _commit(one, _lfs(SECRET)).status_code == 422, "announced, and never fetched"
    assert one.http.get(path).data == SECRET and ("model.safetensors", 0) in hub.ranges
    wait_until(lambda: not list(one.store.list("mirror/")) and _commit(one, _lfs(SECRET)).status_code == 200)
    asked = len(hub.ranges)
    third = replace(one, http=scoped_client(one.registry.app, "third"))
    assert third.http.get(path).data == SECRET and len(hub.ranges) == asked, "what came from there comes once"
    assert [len(bench.http.get("/api/hub/mirrors").json["items"]) for bench in (one, other, third)] == [1, 0, 1]


def _path(address: str) -> str:
    return address if address.startswith("/") else "/" + address.split("/", 3)[3]


_BODIES: dict[str, Any] = {
    "move_alias": {"version": 1},
    "change_tags": {"add": ["x"]},
    "move_repository": {"fromRepo": "mine", "toRepo": "team/taken"},
    "delete_repository": {"name": "mine"},
    "update_settings": {"private": True},
    "batch_of_model": {"operation": "upload", "objects": []},
    "batch_of_dataset": {"operation": "upload", "objects": []},
    "create_tag": {"tag": "x"},
    "preupload": {"files": [{"path": "x.json", "size": 1, "sample": ""}]},
}


def test_no_route_shows_or_changes_what_is_the_others(one: RegistryBench, other: RegistryBench) -> None:
    one.version("mine")
    one.http.put("/api/models/mine/aliases/production", json={"version": 1})
    before = one.http.get("/api/models/mine").data, one.http.get("/hub/api/models/mine").data
    given = {"name": "mine", "alias": "production", "path": "config.json", "kind": "models", "revision": "main"}
    given |= {"place": "main", "ref": "main", "repo": "mine", "branch": "extra"}
    wrong = [
        (route, answer.status_code, answer.data[:200])
        for route, answer in _asked(other, given)
        if answer.status_code != 404
    ]
    assert wrong == [], "\n".join(map(str, wrong))
    assert [other.http.get(path).json for path in ("/hub/api/models", "/hub/api/datasets")] == [[], []]
    assert other.http.get("/api/models").json["items"] == other.http.get("/api/hub/mirrors").json["items"] == []
    assert before == (one.http.get("/api/models/mine").data, one.http.get("/hub/api/models/mine").data)


_OWN = {
    "commit_version", "list_models", "ask_blob", "put_blob", "upload_file", "upload_part", "complete_upload",
    "upload_xorb", "upload_shard", "list_repositories",
}  # fmt: skip
"""Routes that name nothing of another project's, or make something of one's own; hashes are tested above."""


def _asked(bench: RegistryBench, given: dict[str, str]) -> Iterator[tuple[Any, Any]]:
    numbers = {"sha256": "0" * 64, "number": "1", "xorb": "0" * 64}
    for prefix in ("/api/models", "/api/hub", "/hub"):
        for route in routes_of(bench.registry.app, prefix, given | numbers):
            if (route.values or route.name in _BODIES) and route.name not in _OWN:
                path = route.path.replace("/resolve/main", "/resolve/main/config.json")
                options = {"json": _BODIES[route.name]} if route.name in _BODIES else {}
                yield route, bench.http.open(path, method=route.method, **options)
