"""How many bytes a project may keep: checked before bytes come, exact when many come at once, never lost by a job."""

from __future__ import annotations

import io
import json
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from dataset_svc.datasets.routes import datasets_api
from dataset_svc.datasets.service import DatasetService
from dataset_svc.datasets.tables import storage_limits
from dataset_svc.datasets.uploads import Limits, Uploads
from dataset_svc.resumable.routes import add_resumable
from dataset_svc.resumable.service import ResumableUploads, Rules
from dataset_svc.storage_repository import used_bytes
from gateway.jobs.room import Room
from kargah.access.principal import Principal
from kargah.access.roles import Role
from kargah.access.tokens import mint_service_token
from kargah.adapters.minio_store import MinioStore
from kargah.contracts.storage import StorageView
from kargah.contracts.uploads import UploadCreate
from kargah.db.engine import create_engine
from kargah.db.storage_quota import StorageQuota
from kargah.domain.errors import OverQuota, Unavailable
from kargah.domain.scope import project_scope
from kargah.testing.fixtures import DatabaseUrlFor
from kargah.testing.scoped_app import scoped_client
from kargah.web.app import create_app
from kargah.web.settings import WebSettings
from kargah.web.storage_routes import add_storage_routes
from registry.testing.bench import RegistryBench, model_files, registry_bench, sha256

ROWS = b'{"text": "a"}\n{"text": "b"}\n{"text": "c"}\n{"text": "d"}\n'
SIZE = len(ROWS)
KEY = secrets.token_hex(32)
MOST = 12_000
PERSON = Principal("user:p", "p", Role.TRAINER, "one")
ROOT = Principal("user:root", "root", Role.ADMIN, "one", platform=True)
WORKER = Principal("service:worker", "worker", Role.SERVICE, "one")
LINES = {"content-type": "application/x-ndjson"}


@dataclass(frozen=True, slots=True)
class Datasets:
    app: Flask
    parts: ResumableUploads

    def put(self, name: str, rows: bytes = ROWS, project: str = "one") -> Any:
        return scoped_client(self.app, project).put(f"/api/datasets/{name}/content?filename=x.jsonl", data=rows)

    def storage(self, project: str) -> list[tuple[str, int, int | None]]:
        items = scoped_client(self.app, project).get("/api/storage/datasets").json["items"]
        return [(one["project"], one["usedBytes"], one["maxBytes"]) for one in items]


@pytest.fixture
def datasets(database_url_for: DatabaseUrlFor, object_store: MinioStore) -> Iterator[Datasets]:
    engine = create_engine(database_url_for("dataset-svc"))
    quota = StorageQuota(storage_limits, used_bytes, "datasets", 2 * SIZE, enforced=True)
    uploads = Uploads(object_store, engine, Limits(1 << 20, 1 << 20), quota=quota)
    api = datasets_api(DatasetService(object_store, engine), uploads, 1 << 20)
    rules = Rules(1 << 20, 5 << 20, timedelta(hours=1))
    parts = ResumableUploads(object_store, engine, rules, lambda: None, quota)
    add_resumable(api, parts)
    add_storage_routes(api, engine, quota, "datasets")
    yield Datasets(create_app("dataset-svc", api, {}, WebSettings()), parts)
    engine.dispose()


def test_rows_count_once_in_a_project_and_the_next_upload_is_told_how_much_there_is(datasets: Datasets) -> None:
    other = ROWS.replace(b"a", b"x")
    assert [datasets.put(name).status_code for name in ("a", "b")] == [201, 201]  # the same rows: one content
    assert datasets.put("c", other).status_code == 201
    refused = datasets.put("c", ROWS.replace(b"a", b"y"))
    assert (refused.status_code, refused.json["code"], refused.headers["retry-after"]) == (429, "over_quota", "60")
    assert f"{2 * SIZE:,} of {2 * SIZE:,} bytes" in refused.json["detail"]
    assert datasets.put("d", ROWS.replace(b"a", b"y"), "other").status_code == 201
    assert ("one", 2 * SIZE, 2 * SIZE) in datasets.storage("one") and ("other", SIZE, 2 * SIZE) in datasets.storage(
        "one"
    )
    assert scoped_client(datasets.app, "one").delete("/api/datasets/c").status_code == 204
    assert datasets.put("e", other).status_code == 201


def test_a_limit_of_its_own_takes_the_place_of_everybodys(datasets: Datasets) -> None:
    root = scoped_client(datasets.app, "one")
    assert root.put("/api/storage/datasets/one", json={"maxBytes": 0}).json["ownLimit"] is True
    assert datasets.put("a").status_code == 429 and datasets.put("a", project="other").status_code == 201
    assert root.put("/api/storage/datasets/one", json={"maxBytes": None}).json["maxBytes"] == 2 * SIZE
    assert datasets.put("a").status_code == 201
    assert root.put("/api/storage/datasets/not%20one", json={"maxBytes": 1}).status_code == 422


def test_uploads_in_parts_take_their_room_when_they_begin_however_many_begin_at_once(datasets: Datasets) -> None:
    def begin(number: int) -> bool:
        wanted = UploadCreate(name=f"n{number}", filename="x.jsonl", size_bytes=SIZE // 2, sha256=f"{number:064x}")
        with project_scope("one"):
            return _accepted(lambda: datasets.parts.create(wanted))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(begin, range(8))) == 4
    assert ("one", 4 * (SIZE // 2), 2 * SIZE) in datasets.storage("one")


@pytest.fixture
def registry(database_url_for: DatabaseUrlFor, object_store: MinioStore) -> Iterator[RegistryBench]:
    settings = {"auth": "on", "jwt_secret": KEY, "max_project_bytes": MOST}
    with registry_bench(database_url_for("registry"), object_store, **settings) as bench:
        yield bench


def _as(bench: RegistryBench, who: Principal) -> Any:
    client = bench.registry.app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {mint_service_token(KEY, who)}"
    return client


def _send(client: Any, files: dict[str, bytes], name: str) -> list[int]:
    answers = [client.put(f"/api/blobs/{sha256(data)}", data=data) for data in files.values()]
    entries = [{"path": path, "sizeBytes": len(data), "sha256": sha256(data)} for path, data in files.items()]
    made = client.post(f"/api/models/{name}/versions", json={"files": entries, "source": "test"})
    return sorted({answer.status_code for answer in (*answers, made)})


def test_files_of_models_are_counted_and_what_a_job_made_is_kept_all_the_same(registry: RegistryBench) -> None:
    person, worker = _as(registry, PERSON), _as(registry, WORKER)
    assert _send(person, model_files(1), "a") == [201]
    assert _send(person, model_files(1), "b") == [200, 201]  # the blobs are there already: nothing more
    used = person.get("/api/storage/models").json["items"]
    assert [(one["project"], one["usedBytes"]) for one in used] == [("one", sum(map(len, model_files(1).values())))]
    assert _send(person, model_files(2), "c") == [200, 201]
    big = b"x" * MOST
    announced = person.put(f"/api/blobs/{sha256(big)}", data=big)
    assert announced.status_code == 429 and announced.json["code"] == "over_quota"
    body = {"operation": "upload", "objects": [{"oid": sha256(big), "size": len(big)}]}
    person.post("/hub/api/repos/create", json={"organization": "team", "name": "own"})
    assert person.post("/hub/team/own.git/info/lfs/objects/batch", json=body).status_code == 429
    assert _send(worker, model_files(3), "tuned") == [200, 201]
    [shown] = person.get("/api/storage/models").json["items"]
    assert shown["usedBytes"] > shown["maxBytes"] == MOST
    lines = [{"key": "header", "value": {"summary": "more"}}, _file("notes.txt", b"a note")]
    data = "\n".join(map(json.dumps, lines)).encode()
    refused = person.post("/hub/api/models/a/commit/main", data=data, headers=LINES)
    assert refused.status_code == 429, refused.text


def test_blobs_that_come_at_once_are_counted_one_after_the_other(registry: RegistryBench) -> None:
    def put(number: int) -> bool:
        data = bytes([number]) * (MOST // 4)
        with project_scope("one"):
            return _accepted(lambda: registry.registry.blobs.put(sha256(data), io.BytesIO(data)))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(put, range(8))) == 4


def test_limits_are_for_those_who_look_after_the_platform(registry: RegistryBench) -> None:
    assert _as(registry, PERSON).put("/api/storage/models/one", json={"maxBytes": 1}).status_code == 403
    assert _as(registry, ROOT).put("/api/storage/models/other", json={"maxBytes": 1}).status_code == 200
    assert "other" not in {one["project"] for one in _as(registry, PERSON).get("/api/storage/models").json["items"]}
    assert "other" in {one["project"] for one in _as(registry, ROOT).get("/api/storage/models").json["items"]}


def test_a_job_that_makes_a_model_is_not_queued_where_there_is_no_room() -> None:
    asked: list[str] = []
    full = StorageView(project="one", used_bytes=5, max_bytes=5, own_limit=False)

    def ask(what: str) -> StorageView:
        asked.append(what)
        return full if what == "models" else full.model_copy(update={"max_bytes": 6})

    room = Room(ask)
    for kind in ("evaluate", "push", "import"):
        room.require(kind)
    for kind in ("train", "export", "install"):
        with pytest.raises(OverQuota, match="models of one take 5 of 5 bytes"):
            room.require(kind)
    assert asked == ["datasets", "models"]  # the second and the third time it was known


def test_who_cannot_say_what_there_is_stops_no_job() -> None:
    def ask(what: str) -> StorageView:
        raise Unavailable(f"who keeps {what} does not answer")

    Room(ask).require("train")


def _file(path: str, data: bytes) -> dict[str, Any]:
    return {"key": "file", "value": {"path": path, "content": data.decode(), "encoding": "utf-8"}}


def _accepted(call: Callable[[], object]) -> bool:
    try:
        call()
    except OverQuota:
        return False
    return True
