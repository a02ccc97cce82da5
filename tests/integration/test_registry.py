"""The registry on a real Postgres and a real S3: what is committed is there, whole, and what is refused is not."""

from __future__ import annotations

import base64
import io
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from safetensors.numpy import save
from sqlalchemy import text

from kargah.adapters.minio_store import MinioStore
from kargah.contracts.models import ModelLocation
from kargah.db.engine import create_engine
from kargah.db.migrate import migrate
from kargah.ports.object_store import StoreUnavailable
from kargah.testing.fixtures import DatabaseUrlFor
from registry.blobs.service import BlobService
from registry.blobs.tables import metadata
from registry.sweeper import abort_strays
from registry.testing.bench import RegistryBench, adapter_files, model_files, registry_bench, sha256
from worker.fetch import fetch_with_base

MODEL = model_files()
WEIGHTS = MODEL["model.safetensors"]
ADAPTER = adapter_files()


@pytest.fixture
def registry(database_url_for: DatabaseUrlFor, object_store: MinioStore) -> Iterator[RegistryBench]:
    with registry_bench(database_url_for("registry"), object_store, blob_bytes=30_000_000) as bench:
        yield bench


def age(registry: RegistryBench, hours: int) -> None:
    """Every blob was wanted so many hours earlier."""
    with registry.engine.begin() as connection:
        connection.execute(text(f"UPDATE blobs SET touched_at = touched_at - interval '{hours} hours'"))


def test_the_tables_are_those_of_the_migrations(registry: RegistryBench) -> None:
    with registry.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_it_is_ready_and_says_what_it_serves(registry: RegistryBench) -> None:
    assert registry.http.get("/readyz").json["failed"] == []
    paths = registry.http.get("/openapi.json").json["paths"]
    assert "/api/models/{name}/location" in paths and "put" in paths["/api/blobs/{sha256}"]


@pytest.mark.parametrize("size", [0, 5, 17_000_000])
def test_a_blob_is_stored_once(registry: RegistryBench, size: int) -> None:
    data = b"\x07" * size
    assert registry.http.head(f"/api/blobs/{sha256(data)}").status_code == 404
    first = registry.http.put(f"/api/blobs/{sha256(data)}", data=data)
    again = registry.http.put(f"/api/blobs/{sha256(data)}", data=data)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json == {"sha256": sha256(data), "sizeBytes": size}
    assert registry.http.head(f"/api/blobs/{sha256(data)}").headers["x-size-bytes"] == str(size)
    assert registry.store.get(f"blobs/{sha256(data)}") == data


@pytest.mark.parametrize("size", [5, 17_000_000])
def test_wrong_bytes_are_refused_and_not_kept(registry: RegistryBench, size: int) -> None:
    announced = sha256(b"\x07" * size)
    answer = registry.http.put(f"/api/blobs/{announced}", data=b"\x08" * size)
    assert answer.status_code == 422 and answer.json["errors"][0]["code"] == "wrong_hash"
    assert registry.blobs() == set()
    assert registry.http.put(f"/api/blobs/{announced}", data=b"\x07" * size).status_code == 201
    assert registry.http.put(f"/api/blobs/{announced}", data=b"\x08" * size).status_code == 422
    assert sha256(registry.store.get(f"blobs/{announced}")) == announced


def test_a_blob_over_the_limit_or_with_a_bad_address_is_refused(registry: RegistryBench) -> None:
    data = b"x" * 30_000_001
    assert registry.http.put(f"/api/blobs/{sha256(data)}", data=data).status_code == 413
    undeclared = registry.http.put(
        f"/api/blobs/{sha256(data)}", input_stream=io.BytesIO(data), headers={"transfer-encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )  # fmt: skip
    assert undeclared.status_code == 413
    for bad in ("ABC", sha256(b"").upper(), "..%2f" + sha256(b"")):
        assert registry.http.put(f"/api/blobs/{bad}", data=b"x").status_code in (404, 422)
    assert registry.blobs() == set()


def test_a_version_is_committed_with_its_facts(registry: RegistryBench) -> None:
    lineage = {"job_id": "job_1", "metrics": {"eval_loss": 1.5}, "زبان": "فارسی"}
    version = registry.version("owner/tiny", MODEL, lineage=lineage)
    assert version["version"] == 1 and version["model"] == "owner/tiny"
    assert version["lineage"] == lineage
    assert version["sizeBytes"] == sum(map(len, MODEL.values()))
    assert version["facts"] == {
        "kind": "causal_lm",
        "modelType": "llama",
        "architectures": ["LlamaForCausalLM"],
        "parameters": 1000,
        "contextLength": 64,
        "hasChatTemplate": False,
        "baseModel": None,
        "license": None,
    }
    assert [file["path"] for file in version["files"]] == sorted(MODEL)


def test_versions_count_up_and_can_be_chosen(registry: RegistryBench) -> None:
    registry.version("m", MODEL)
    registry.version("m", {**MODEL, "notes.txt": b"two"})
    assert registry.http.get("/api/models/m").json["latest"]["version"] == 2
    assert registry.http.get("/api/models/m?version=1").json["latest"]["version"] == 1
    assert registry.http.get("/api/models/m?version=3").status_code == 404
    assert registry.http.get("/api/models/m?version=0").status_code == 422
    listed = registry.http.get("/api/models/m/versions?limit=1").json
    assert [listed["total"], listed["items"][0]["version"]] == [2, 2]
    following = registry.http.get(f"/api/models/m/versions?limit=1&cursor={listed['nextCursor']}").json
    assert [following["items"][0]["version"], following["nextCursor"]] == [1, None]


def test_the_same_key_makes_one_version(registry: RegistryBench) -> None:
    first = registry.version("m", MODEL, idempotencyKey="job_1")
    again = registry.post_version("m", {**MODEL, "notes.txt": b"x"}, idempotencyKey="job_1")
    assert again.status_code == 200 and again.json == first
    assert registry.version("m", MODEL, idempotencyKey="job_2")["version"] == 2
    assert registry.version("other", MODEL, idempotencyKey="job_1")["model"] == "other"


def test_commits_at_once_get_numbers_of_their_own(registry: RegistryBench) -> None:
    registry.version("m", MODEL)
    answers: list[Any] = []

    def commit(key: str) -> None:
        with registry.registry.app.test_client() as http:
            running = RegistryBench(http, registry.engine, registry.store, registry.registry)
            answers.append(running.post_version("m", MODEL, send=False, idempotencyKey=key))

    threads = [threading.Thread(target=commit, args=(f"key{index % 3}",)) for index in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200] * 6 + [201] * 3
    assert sorted({answer.json["version"] for answer in answers}) == [2, 3, 4]


def test_blobs_must_be_there_and_as_long_as_said(registry: RegistryBench) -> None:
    answer = registry.post_version("m", MODEL, send=False)
    assert answer.status_code == 422
    assert {error["code"] for error in answer.json["errors"]} == {"missing_blob"}
    assert answer.json["errors"][0]["field"] == "files[0].sha256"
    registry.put(WEIGHTS)
    registry.put(MODEL["config.json"])
    wrong = [
        {"path": "config.json", "sizeBytes": 1, "sha256": sha256(MODEL["config.json"])},
        {"path": "model.safetensors", "sizeBytes": len(WEIGHTS), "sha256": sha256(WEIGHTS)},
    ]
    answer = registry.http.post("/api/models/m/versions", json={"files": wrong, "source": "test"})
    assert answer.status_code == 422 and answer.json["errors"][0]["field"] == "files[0].sizeBytes"
    assert registry.http.get("/api/models/m").status_code == 404


@pytest.mark.parametrize(
    ("files", "status"),
    [
        ({**MODEL, "pytorch_model.bin": b"x"}, 415),
        ({**MODEL, "../evil.json": b"x"}, 422),
        ({**MODEL, "modeling.py": b"x"}, 422),
        ({**MODEL, "config.json": b'{"model_type": "llama", "auto_map": {"AutoModel": "m.M"}}'}, 422),
        ({**MODEL, "config.json": b'{"model_type": "unheard_of"}'}, 422),
        ({**MODEL, "model.safetensors": b"\x80\x04\x95" + b"x" * 50}, 422),
        ({"config.json": MODEL["config.json"]}, 422),
        (ADAPTER, 422),
    ],
)
def test_what_is_not_safe_is_not_kept(registry: RegistryBench, files: dict[str, bytes], status: int) -> None:
    answer = registry.post_version("m", files)
    assert answer.status_code == status and answer.json["errors"]
    assert registry.http.get("/api/models").json["total"] == 0


@pytest.mark.parametrize("name", ["a/b/c", "..", "a%20b", "owner/files", "x" * 200, "%D8%A7"])
def test_bad_names_are_refused(registry: RegistryBench, name: str) -> None:
    assert registry.post_version(name, MODEL).status_code in (404, 405, 422)
    assert registry.http.get("/api/models").json["total"] == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"files": [], "source": "x"}', 422),
        ('{"files": [{"path": "config.json", "sizeBytes": true, "sha256": "%s"}], "source": "x"}' % ("a" * 64), 422),
        ('{"files": [{"path": "config.json", "sizeBytes": 1, "sha256": "zz"}], "source": "x"}', 422),
        ('{"files": [{"path": "a\\u0000.json", "sizeBytes": 1, "sha256": "%s"}], "source": "x"}' % ("a" * 64), 422),
        ('{"sauce": 1}', 422),
        ("[" * 100_000, 400),
        ("", 400),
    ],
)
def test_broken_commits_are_refused(registry: RegistryBench, body: str, status: int) -> None:
    answer = registry.http.post("/api/models/m/versions", data=body, content_type="application/json")
    assert answer.status_code == status


def test_models_are_listed_in_pages_and_found(registry: RegistryBench) -> None:
    for name in ("alpha", "beta_100", "owner/alphabet"):
        registry.version(name, MODEL)
    registry.version("enc", {**MODEL, "config.json": b'{"model_type": "bert"}'})
    first = registry.http.get("/api/models?limit=3").json
    second = registry.http.get(f"/api/models?limit=3&cursor={first['nextCursor']}").json
    names = [item["name"] for item in first["items"] + second["items"]]
    assert names == ["enc", "owner/alphabet", "beta_100", "alpha"]
    assert first["total"] == second["total"] == 4 and second["nextCursor"] is None
    assert _names(registry, "search=ALPHA") == {"alpha", "owner/alphabet"}
    assert _names(registry, "search=a_p") == set()
    assert _names(registry, "kind=encoder") == {"enc"}
    assert registry.http.get("/api/models?cursor=garbage").status_code == 422
    assert registry.http.get("/api/models?limit=0").status_code == 422


def _names(registry: RegistryBench, query: str) -> set[str]:
    return {item["name"] for item in registry.http.get(f"/api/models?{query}").json["items"]}


def test_a_file_is_downloaded_whole_or_in_part(registry: RegistryBench) -> None:
    registry.version("owner/m", MODEL)
    url = "/api/models/owner/m/files/model.safetensors"
    whole = registry.http.get(url)
    assert (whole.status_code, whole.data) == (200, WEIGHTS)
    assert whole.headers["etag"] == f'"{sha256(WEIGHTS)}"' and whole.content_length == len(WEIGHTS)
    for asked, expected in (("0-9", WEIGHTS[:10]), ("4000-", WEIGHTS[4000:]), ("-7", WEIGHTS[-7:])):
        part = registry.http.get(url, headers={"range": f"bytes={asked}"})
        assert (part.status_code, part.data) == (206, expected)
    assert part.headers["content-range"] == f"bytes {len(WEIGHTS) - 7}-{len(WEIGHTS) - 1}/{len(WEIGHTS)}"
    assert registry.http.get(url, headers={"range": f"bytes={len(WEIGHTS)}-"}).status_code == 416
    assert registry.http.get(url, headers={"range": "bytes=5-2"}).status_code == 416
    assert registry.http.get(url, headers={"range": "bytes=0-1,4-5"}).data == WEIGHTS
    stale = registry.http.get(url, headers={"range": "bytes=0-9", "if-range": '"other"'})
    assert (stale.status_code, stale.data) == (200, WEIGHTS)
    assert registry.http.get(url, headers={"if-none-match": f'"{sha256(WEIGHTS)}"'}).status_code == 304
    head = registry.http.head(url)
    assert (head.status_code, head.data, head.content_length) == (200, b"", len(WEIGHTS))
    assert registry.http.get("/api/models/owner/m/files/absent.json").status_code == 404
    assert registry.http.get("/api/models/owner/m/files/../../x").status_code == 404


def test_an_adapter_is_located_with_its_base(registry: RegistryBench, tmp_path: Path) -> None:
    base = registry.version("base", MODEL)
    tuned = registry.version("tuned", ADAPTER, lineage={"base_version_id": base["id"]})
    assert tuned["facts"]["kind"] == "adapter" and tuned["facts"]["baseModel"] == "base"
    assert (tuned["facts"]["modelType"], tuned["facts"]["contextLength"]) == ("llama", 64)
    location = ModelLocation.model_validate_json(registry.http.get("/api/models/tuned/location").data)
    assert location.base is not None and location.base.version.id == base["id"] and location.base.base is None
    fetched = fetch_with_base(location, registry.store, tmp_path / "cache", tmp_path / "run")
    assert (fetched.model_dir / "adapter_model.safetensors").read_bytes() == ADAPTER["adapter_model.safetensors"]
    assert fetched.base_dir is not None and (fetched.base_dir / "model.safetensors").read_bytes() == WEIGHTS


def test_an_adapter_finds_its_base_by_name_or_is_refused(registry: RegistryBench) -> None:
    named = {**ADAPTER, "adapter_config.json": b'{"base_model_name_or_path": "owner/base"}'}
    assert registry.post_version("tuned", named).status_code == 422
    registry.version("owner/base", MODEL)
    assert registry.version("tuned", named)["facts"]["baseModel"] == "owner/base"
    unknown = registry.post_version("tuned", named, lineage={"base_version_id": "mv_unknown"})
    assert unknown.status_code == 422 and unknown.json["errors"][0]["field"] == "lineage.base_version_id"


def test_a_base_stays_while_adapters_need_it(registry: RegistryBench) -> None:
    first = registry.version("base", MODEL)
    registry.version("base", {**MODEL, "notes.txt": b"2"})
    registry.version("tuned", ADAPTER, lineage={"base_version_id": first["id"]})
    for url in ("/api/models/base", "/api/models/base?version=1"):
        answer = registry.http.delete(url)
        assert answer.status_code == 409 and "tuned@1" in answer.json["detail"]
    assert registry.http.delete("/api/models/base?version=2").status_code == 204
    assert registry.http.get("/api/models/base").json["latest"]["version"] == 1
    assert registry.http.delete("/api/models/tuned").status_code == 204
    assert registry.http.delete("/api/models/base").status_code == 204
    assert registry.http.get("/api/models").json == {"items": [], "nextCursor": None, "total": 0}
    assert registry.http.delete("/api/models/base").status_code == 404


def test_a_base_that_goes_while_adapters_come_is_there_or_is_told(registry: RegistryBench) -> None:
    """Never an adapter without its base, and never a failure of the registry's own."""
    seen: set[tuple[str, int]] = set()

    def come(base_id: str, number: int) -> None:
        with registry.registry.app.test_client() as http:
            mine = RegistryBench(http, registry.engine, registry.store, registry.registry)
            answer = mine.post_version(f"tuned{number}", ADAPTER, send=False, lineage={"base_version_id": base_id})
            seen.add(("come", answer.status_code))

    for data in ADAPTER.values():
        registry.put(data)
    for turn in range(6):
        base = registry.version(f"base{turn}", MODEL)
        coming = [threading.Thread(target=come, args=(base["id"], 3 * turn + number)) for number in range(3)]
        for thread in coming:
            thread.start()
        seen.add(("go", registry.http.delete(f"/api/models/base{turn}").status_code))
        for thread in coming:
            thread.join(timeout=60)
    assert seen <= {("come", 201), ("come", 422), ("go", 204), ("go", 409)}
    for model in registry.http.get("/api/models").json["items"]:
        assert registry.http.get(f"/api/models/{model['name']}/location").status_code == 200


def test_a_version_goes_with_what_only_its_card_was_changed_in(registry: RegistryBench) -> None:
    registry.version("lab/m", MODEL)
    push(registry, "models", "lab/m", {"config.json": MODEL["config.json"].replace(b"64", b"32")})
    for card in (b"# one", b"# two"):
        push(registry, "models", "lab/m", {"README.md": card})
    assert registry.http.get("/api/models/lab/m").json["latest"]["version"] == 2
    assert registry.http.delete("/api/models/lab/m?version=2").status_code == 204
    refs = registry.http.get("/hub/api/models/lab/m/refs").json
    (first,) = [ref["targetCommit"] for ref in refs["tags"]]
    assert [branch["targetCommit"] for branch in refs["branches"]] == [first]
    push(registry, "models", "lab/m", {"config.json": MODEL["config.json"].replace(b"64", b"16")})
    push(registry, "models", "lab/m", {"vocab.txt": b"word"})
    assert registry.http.delete("/api/models/lab/m?version=3").status_code == 204
    titles = [commit["title"] for commit in registry.http.get("/hub/api/models/lab/m/commits/main").json]
    assert titles == ["Update", "Version 1", "initial commit"], "the fourth version is another model"


def test_a_model_trained_on_its_own_earlier_version_can_go_whole(registry: RegistryBench) -> None:
    first = registry.version("m", MODEL)
    registry.version("m", ADAPTER, lineage={"base_version_id": first["id"]})
    assert registry.http.delete("/api/models/m").status_code == 204


def test_files_go_once_nobody_needs_them(registry: RegistryBench) -> None:
    orphans = {sha256(data) for data in (save({"o": np.ones(3)}), b"a card")}
    for data in (save({"o": np.ones(3)}), b"a card"):
        registry.put(data)
    registry.version("kept", MODEL)
    registry.version("gone", {**MODEL, "model.safetensors": save({"g": np.ones(9)})})
    everything = registry.blobs()
    assert registry.registry.blobs.collect() == 0
    age(registry, 25)
    registry.http.delete("/api/models/gone")
    assert registry.registry.blobs.collect() == 2
    assert registry.blobs() == everything - orphans
    age(registry, 25)
    assert registry.registry.blobs.collect() == 1
    assert registry.blobs() == {sha256(data) for data in MODEL.values()}
    assert registry.version("gone", {**MODEL, "model.safetensors": save({"g": np.ones(9)})})["version"] == 1


def test_a_file_that_was_stored_and_never_noted_is_found(registry: RegistryBench) -> None:
    """As a registry leaves it that is killed between the two."""
    registry.store.put(f"blobs/{sha256(WEIGHTS)}", WEIGHTS)
    eager = BlobService(registry.engine, registry.store, timedelta(0))
    assert registry.http.head(f"/api/blobs/{sha256(WEIGHTS)}").headers["x-size-bytes"] == str(len(WEIGHTS))
    registry.version("m", MODEL)
    registry.store.put(f"blobs/{sha256(b'nobody')}", b"nobody")
    assert registry.registry.blobs.collect() == 0, "it is young"
    assert eager.collect() == 1
    assert registry.blobs() == {sha256(data) for data in MODEL.values()}


def test_an_upload_that_broke_off_in_the_middle_is_given_up(registry: RegistryBench) -> None:
    upload = registry.store.begin_multipart("blobs/x")
    registry.store.put_part("blobs/x", upload, 1, bytes(5 << 20))
    registry.store.begin_multipart("others/x")
    assert abort_strays(registry.store, timedelta(hours=1)) == 0
    assert abort_strays(registry.store, timedelta(hours=-1)) == 1
    assert [found.key for found in registry.store.multiparts("")] == ["others/x"]


def test_asking_for_a_blob_renews_its_grace(registry: RegistryBench) -> None:
    registry.put(WEIGHTS)
    age(registry, 25)
    assert registry.http.head(f"/api/blobs/{sha256(WEIGHTS)}").status_code == 200
    assert registry.registry.blobs.collect() == 0


def test_a_blob_on_its_way_out_cannot_be_committed(registry: RegistryBench) -> None:
    registry.version("m", MODEL)
    with registry.engine.begin() as connection:
        connection.execute(text("UPDATE blobs SET collecting_since = now()"))
    assert registry.http.head(f"/api/blobs/{sha256(WEIGHTS)}").status_code == 404
    assert registry.post_version("other", MODEL, send=False).status_code == 503
    assert registry.http.get("/api/models/other").status_code == 404


def test_a_sweep_that_crashed_is_finished_by_the_next(registry: RegistryBench, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(key: str) -> None:
        raise StoreUnavailable(key)

    registry.put(WEIGHTS)
    age(registry, 25)
    with monkeypatch.context() as patch, pytest.raises(StoreUnavailable):
        patch.setattr(registry.store, "delete", away)
        registry.registry.blobs.collect()
    assert registry.registry.blobs.collect() == 1
    assert registry.blobs() == set()
    assert registry.http.put(f"/api/blobs/{sha256(WEIGHTS)}", data=WEIGHTS).status_code == 201


def test_content_that_a_repository_names_stays_until_it_goes(registry: RegistryBench) -> None:
    push(registry, "datasets", "lab/data", {"train.bin.txt": b"rows", "a.json": b"{}"})
    age(registry, 100)
    assert registry.registry.blobs.collect() == 0
    assert (
        registry.http.delete(
            "/hub/api/repos/delete", json={"name": "data", "organization": "lab", "type": "dataset"}
        ).status_code
        == 204
    )
    assert registry.registry.blobs.collect() == 0, "readers have the whole grace to finish"
    age(registry, 100)
    assert registry.registry.blobs.collect() == 2 and registry.blobs() == set()


def test_a_version_that_is_pushed_on_is_still_kargahs(registry: RegistryBench) -> None:
    registry.version("lab/m", MODEL)
    push(registry, "models", "lab/m", {"config.json": MODEL["config.json"].replace(b"64", b"32")})
    found = registry.http.get("/api/models/lab/m").json["latest"]
    assert (found["version"], found["source"], found["facts"]["contextLength"]) == (2, "hub push", 32)
    assert registry.http.get("/api/models/lab/m/files/model.safetensors").data == WEIGHTS


def test_a_model_of_before_gets_its_history(database_url_for: DatabaseUrlFor) -> None:
    """A registry of the first release, brought up to date."""
    url = database_url_for("older_registry")
    migrate(url, "registry", "0001")
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in OLDER:
            connection.execute(text(statement))
    migrate(url, "registry")
    with engine.begin() as connection:
        refs = connection.execute(text("SELECT kind, name, sha FROM refs ORDER BY kind, name")).all()
        titles = connection.execute(text("SELECT title FROM commits ORDER BY created_at, title DESC")).scalars().all()
        files = connection.execute(text("SELECT path, size_bytes FROM commit_files ORDER BY size_bytes")).all()
    engine.dispose()
    assert [(ref.kind, ref.name) for ref in refs] == [("branch", "main"), ("tag", "v1"), ("tag", "v3")]
    assert refs[0].sha == refs[2].sha != refs[1].sha
    assert titles == ["initial commit", "Version 1", "Version 3"] and [tuple(file) for file in files] == [
        ("a", 1),
        ("a", 3),
    ]


OLDER = (
    "INSERT INTO models (id, name, version_count, created_at) VALUES ('m', 'lab/older', 3, '2026-01-01')",
    *(
        f"INSERT INTO versions (id, model_id, number, facts, size_bytes, source, lineage, created_at) VALUES "
        f"('v{number}', 'm', {number}, '{{\"kind\": \"causal_lm\"}}', 1, 'test', '{{}}', '2026-01-0{number + 1}')"
        for number in (1, 3)
    ),
    *(f"INSERT INTO version_files VALUES ('v{number}', 'a', '{'0' * 64}', {number})" for number in (1, 3)),
)


def push(registry: RegistryBench, kind: str, name: str, files: dict[str, bytes]) -> None:
    """A commit by the Hub's protocol."""
    owner, _, last = name.partition("/")
    registry.http.post("/hub/api/repos/create", json={"name": last, "organization": owner, "type": kind[:-1]})
    lines = (
        {"key": "file", "value": {"path": path, "content": base64.b64encode(data).decode(), "encoding": "base64"}}
        for path, data in files.items()
    )
    body = "".join(json.dumps(line) + "\n" for line in lines)
    answer = registry.http.post(f"/hub/api/{kind}/{name}/commit/main", data=body)
    assert answer.status_code == 200, answer.json
