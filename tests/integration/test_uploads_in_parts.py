"""Uploads in parts: the service as its own process over a real Postgres and S3, the SDK and the command line."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from dataset_svc.datasets.uploads import Limits, Uploads
from dataset_svc.janitor import Janitor
from dataset_svc.resumable.completer import completer
from dataset_svc.resumable.leftovers import abort_strays
from dataset_svc.resumable.service import ResumableUploads, Rules
from kargah.adapters.minio_store import MinioStore
from kargah.cli.main import app
from kargah.clients.client import Client
from kargah.clients.transport import ApiError
from kargah.clients.upload_in_parts import Stage, UploadInParts
from kargah.contracts.uploads import UploadCreate
from kargah.db.engine import Engine, create_engine
from kargah.domain.errors import NotFound
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.testing.dataset_service import DatasetService, dataset_service
from kargah.testing.fixtures import DatabaseUrlFor
from kargah.testing.waiting import wait_until

PART = 5 << 20
DAY = timedelta(days=1)
UPLOADS = "/api/datasets/uploads"


def jsonl(size: int, seed: int = 1) -> bytes:
    """Rows of 4 KB, no two files alike."""
    chance = random.Random(seed)
    filler = "واژه " * 400
    rows: list[bytes] = []
    count = 0
    while count < size:
        row = {"question": f"{chance.random()} {filler}", "answer": f"{chance.random()}"}
        rows.append(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        count += len(rows[-1])
    return b"".join(rows)


LARGE = jsonl(2 * PART + 1000)


@pytest.fixture(scope="module")
def running(postgres: EmbeddedPostgres, object_store_server: EmbeddedObjectStore) -> Iterator[DatasetService]:
    with dataset_service(postgres, object_store_server, {"KARGAH_UPLOAD_PART_BYTES": str(PART)}) as service:
        yield service


@pytest.fixture
def service(running: DatasetService) -> Iterator[DatasetService]:
    """Whatever a test did, deleting its datasets must leave the store empty: no object, nothing under way."""
    yield running
    for name in running.names():
        running.client.delete(f"/api/datasets/{name}")
    wait_until(lambda: running.stored() == [], timeout=20)
    assert list(running.store.multiparts("")) == []


def begin(service: DatasetService, data: bytes, name: str = "large", **more: Any) -> httpx.Response:
    body = {"name": name, "filename": "large.jsonl", "sizeBytes": len(data), **more}
    return service.client.post(UPLOADS, json=body)


def send(service: DatasetService, upload: str, data: bytes, limit: int = 50) -> list[int]:
    """Send `limit` parts that are not there; their numbers."""
    page = service.client.get(f"{UPLOADS}/{upload}/parts", params={"limit": limit}).json()
    for part in page["items"]:
        piece = data[part["offset"] : part["offset"] + part["sizeBytes"]]
        assert httpx.put(part["url"], content=piece, trust_env=False).status_code == 200
    return [part["number"] for part in page["items"]]


def complete(service: DatasetService, upload: str, **body: str) -> dict[str, Any]:
    """Ask for completion, then until it has ended; the last view."""
    first = service.client.post(f"{UPLOADS}/{upload}/complete", json=body)
    assert first.status_code in (200, 202), first.text

    def ended() -> dict[str, Any] | None:
        view: dict[str, Any] = service.client.get(f"{UPLOADS}/{upload}").json()
        return view if view["state"] in ("done", "failed") else None

    return wait_until(ended, timeout=60)


def test_parts_become_a_version(service: DatasetService) -> None:
    answer = begin(service, LARGE)
    view = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{UPLOADS}/{view['id']}"
    assert (view["state"], view["partBytes"], view["partCount"], view["parts"]) == ("open", PART, 3, [])
    page = service.client.get(f"{UPLOADS}/{view['id']}/parts?limit=2").json()
    assert ([part["number"] for part in page["items"]], page["nextAfter"]) == ([1, 2], 2)
    assert send(service, view["id"], LARGE, limit=1) == [1]
    assert service.client.get(f"{UPLOADS}/{view['id']}").json()["parts"] == [1]
    early = service.client.post(f"{UPLOADS}/{view['id']}/complete")
    assert early.status_code == 409
    assert "2 of 3 parts are missing or have another size: 2, 3" in early.json()["detail"]
    assert send(service, view["id"], LARGE) == [2, 3]
    digest = hashlib.sha256(LARGE).hexdigest()
    done = complete(service, view["id"], sha256=digest)
    assert (done["state"], done["isNew"], done["checkedBytes"]) == ("done", True, len(LARGE))
    version = done["version"]
    assert version == service.client.get("/api/datasets/large").json()["latest"]
    assert (version["sha256"], version["sourceSha256"], version["sourceFilename"]) == (digest, digest, "large.jsonl")
    wait_until(lambda: service.stored() == [f"datasets/{digest}"], timeout=10)
    assert service.store.get(f"datasets/{digest}") == LARGE
    again = service.client.post(f"{UPLOADS}/{view['id']}/complete")
    assert (again.status_code, again.json()["version"]) == (200, version)


def test_the_same_file_goes_on_with_its_upload(service: DatasetService) -> None:
    first = begin(service, LARGE, modified="then").json()
    send(service, first["id"], LARGE, limit=2)
    same = begin(service, LARGE, modified="then")
    assert (same.status_code, same.json()["id"], same.json()["parts"]) == (200, first["id"], [1, 2])
    others = [
        begin(service, LARGE, modified="later"),
        begin(service, LARGE, modified="then", name="other"),
        begin(service, LARGE[:-1], modified="then"),
        begin(service, LARGE, modified="then", format="question_answer"),
        begin(service, LARGE),
    ]
    assert [answer.status_code for answer in others] == [201] * len(others)
    for answer in others:
        assert service.client.delete(f"{UPLOADS}/{answer.json()['id']}").status_code == 204
    assert send(service, first["id"], LARGE) == [3]
    done = complete(service, first["id"])
    after = begin(service, LARGE, modified="then")
    assert (after.status_code, after.json()["version"]) == (200, done["version"])
    service.client.delete("/api/datasets/large")
    anew = begin(service, LARGE, modified="then")
    assert (anew.status_code, anew.json()["state"]) == (201, "open")
    assert service.client.delete(f"{UPLOADS}/{anew.json()['id']}").status_code == 204


def test_other_kinds_of_files_go_in_parts_too(service: DatasetService) -> None:
    rows = [{"question": f"سوال {number}", "answer": "جواب"} for number in range(500)]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink, row_group_size=100)
    packed = pa.compress("".join(json.dumps(row) + "\n" for row in rows).encode(), codec="zstd", asbytes=True)
    for name, data in (("parquet", sink.getvalue()), ("zstd", packed)):
        view = begin(service, data, name).json()
        send(service, view["id"], data)
        version = complete(service, view["id"])["version"]
        assert (version["stats"]["rows"], version["format"]) == (500, "question_answer")
        assert version["sourceSha256"] == hashlib.sha256(data).hexdigest()
        assert service.client.get(f"/api/datasets/{name}/preview?limit=1").json()["rows"] == rows[:1]


def test_a_bad_file_fails_and_leaves_nothing(service: DatasetService) -> None:
    bad = LARGE + b"{oops\n"
    view = begin(service, bad).json()
    send(service, view["id"], bad)
    failed = complete(service, view["id"])
    (error,) = failed["problem"]["errors"]
    assert (failed["state"], failed["version"], failed["problem"]["status"]) == ("failed", None, 422)
    assert (error["code"], error["byteOffset"]) == ("syntax", len(LARGE) + 1)
    wait_until(lambda: service.stored() == [], timeout=10)
    assert service.names() == []


def test_what_arrives_otherwise_than_it_was_sent_fails(service: DatasetService) -> None:
    view = begin(service, LARGE).json()
    send(service, view["id"], LARGE[:100] + b"X" + LARGE[101:])
    failed = complete(service, view["id"], sha256=hashlib.sha256(LARGE).hexdigest())
    assert failed["problem"]["errors"][0]["code"] == "checksum"
    wait_until(lambda: service.stored() == [], timeout=10)


def test_a_part_of_another_size_is_not_there(service: DatasetService) -> None:
    view = begin(service, LARGE).json()
    page = service.client.get(f"{UPLOADS}/{view['id']}/parts").json()
    assert httpx.put(page["items"][0]["url"], content=b"short", trust_env=False).status_code == 200
    assert service.client.get(f"{UPLOADS}/{view['id']}").json()["parts"] == []
    assert service.client.post(f"{UPLOADS}/{view['id']}/complete").status_code == 409
    assert service.client.delete(f"{UPLOADS}/{view['id']}").status_code == 204
    for answer in (
        service.client.get(f"{UPLOADS}/{view['id']}"),
        service.client.delete(f"{UPLOADS}/{view['id']}"),
        service.client.post(f"{UPLOADS}/{view['id']}/complete"),
        service.client.get(f"{UPLOADS}/{view['id']}/parts"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_parts_come_in_any_order_and_again_and_are_completed_by_several(service: DatasetService) -> None:
    view = begin(service, LARGE).json()
    urls = service.client.get(f"{UPLOADS}/{view['id']}/parts").json()["items"]
    for place in (2, 1, 0, 1, 1, 2):
        part = urls[place]
        piece = LARGE[part["offset"] : part["offset"] + part["sizeBytes"]]
        assert httpx.put(part["url"], content=piece, trust_env=False).status_code == 200
    asked = f"{UPLOADS}/{view['id']}/parts"
    assert service.client.get(asked).json()["items"] == []
    assert [service.client.get(f"{asked}?after={after}").status_code for after in (3, 9_999, 10_001)] == [200, 200, 422]
    with ThreadPoolExecutor(4) as several:
        completions = [several.submit(complete, service, view["id"]) for _ in range(4)]
        views = [completion.result(timeout=120) for completion in completions]
    assert views[0]["problem"] is None, views[0]["problem"]
    versions = [view["version"] for view in views]
    assert all(version == versions[0] for version in versions)
    assert versions[0]["sha256"] == hashlib.sha256(LARGE).hexdigest()
    assert service.client.get("/api/datasets/large/versions").json()["total"] == 1
    late = httpx.put(urls[0]["url"], content=LARGE[:PART], trust_env=False)
    assert late.status_code == 404, "nothing is added to what was completed"


def test_a_bomb_in_parts_is_none_the_better(service: DatasetService) -> None:
    bomb = gzip.compress(jsonl(1000) + b'{"question": "a", "answer": "' + b"b" * (100 << 20), compresslevel=9)
    view = begin(service, bomb).json()
    send(service, view["id"], bomb)
    failed = complete(service, view["id"])
    assert (failed["state"], failed["problem"]["status"], failed["version"]) == ("failed", 413, None)
    wait_until(lambda: service.stored() == [], timeout=10)


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, "name"),
        ({"name": "d", "filename": "f", "sizeBytes": 0}, 422, "sizeBytes"),
        ({"name": "d", "filename": "f", "sizeBytes": 1, "sha256": "x"}, 422, "sha256"),
        ({"name": "uploads/x", "filename": "f", "sizeBytes": 1}, 422, "name"),
        ({"name": "d", "filename": "f", "sizeBytes": 1, "format": "nonsense"}, 422, "format"),
        ({"name": "d", "filename": "f", "sizeBytes": 1, "map": "nothing:x"}, 422, "map"),
        ({"name": "d", "filename": "f", "sizeBytes": 1 << 60}, 413, None),
    ],
)
def test_bad_requests(service: DatasetService, body: dict[str, Any], status: int, field: str | None) -> None:
    answer = service.client.post(UPLOADS, json=body)
    assert answer.status_code == status
    assert [error["field"] for error in answer.json().get("errors", [])][:1] == ([field] if field else [])


class Stopped(Exception):
    """What Ctrl-C is in these tests."""


def test_the_sdk_goes_on_where_it_was(service: DatasetService, tmp_path: Path) -> None:
    path = tmp_path / "large.jsonl"
    path.write_bytes(jsonl(8 * PART, seed=2))
    seen: list[tuple[Stage, int, int]] = []

    def stop_midway(stage: Stage, done: int, total: int) -> None:
        if done > total // 2:
            raise Stopped

    with Client(service.url) as client:
        with pytest.raises(Stopped):
            UploadInParts(client.transport, path, {"name": "sdk"}, stop_midway).send()
        present = begin(service, path.read_bytes(), "sdk", modified=f"{path.stat().st_mtime_ns} ns").json()["parts"]
        assert 0 < len(present) < 9
        version = client.datasets.upload(path, name="sdk", parts_from=1, on_progress=lambda *step: seen.append(step))
    assert version.source_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert seen[0] == ("sending", len(present) * PART, path.stat().st_size)
    assert max(done for stage, done, _ in seen if stage == "sending") == path.stat().st_size
    assert seen[-1] == ("checking", path.stat().st_size, path.stat().st_size)


def test_the_sdk_tells_what_is_wrong(service: DatasetService, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(LARGE + b"{oops\n")
    with Client(service.url) as client, pytest.raises(ApiError, match="1 problem in") as caught:
        client.datasets.upload(path, parts_from=1)
    assert caught.value.problem.errors[0].code == "syntax"


def test_the_command_line_sends_large_files_in_parts(
    service: DatasetService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "large.jsonl"
    path.write_bytes(LARGE)
    monkeypatch.setattr("kargah.clients.datasets.PARTS_FROM", 1)
    result = CliRunner().invoke(app, ["--url", service.url, "dataset", "upload", str(path), "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["sourceSha256"] == hashlib.sha256(LARGE).hexdigest()
    (upload,) = [begin(service, LARGE, modified=f"{path.stat().st_mtime_ns} ns").json()]
    assert upload["state"] == "done"


def test_a_store_out_of_reach_is_gone_around(
    postgres: EmbeddedPostgres, object_store_server: EmbeddedObjectStore, tmp_path: Path
) -> None:
    path = tmp_path / "large.jsonl"
    path.write_bytes(LARGE)
    settings = {"KARGAH_S3_PUBLIC_ENDPOINT": "http://127.0.0.1:9"}
    with dataset_service(postgres, object_store_server, settings) as service, Client(service.url) as client:
        version = client.datasets.upload(path, parts_from=1)
        assert version.source_sha256 == hashlib.sha256(LARGE).hexdigest()
        assert list(service.store.multiparts("")) == []
        assert service.stored() == [f"datasets/{version.sha256}"]


class TestLeftovers:
    """What is removed, and what must not be, with the clock set forward."""

    @pytest.fixture
    def engine(self, database_url_for: DatabaseUrlFor) -> Iterator[Engine]:
        engine = create_engine(database_url_for("dataset-svc"))
        yield engine
        engine.dispose()

    def uploads(self, store: MinioStore, engine: Engine) -> ResumableUploads:
        return ResumableUploads(store, engine, Rules(1 << 30, PART, DAY), lambda: None)

    def janitor(self, store: MinioStore, engine: Engine, silent: timedelta, age: timedelta) -> Janitor:
        return Janitor(store, engine, self.uploads(store, engine), 3600, silent, age)

    def test_a_silent_upload_is_given_up(self, object_store: MinioStore, engine: Engine) -> None:
        uploads = self.uploads(object_store, engine)
        view, _ = uploads.create(UploadCreate(name="d", filename="f", size_bytes=2 * PART))
        under_way = next(object_store.multiparts(""))
        object_store.put_part(under_way.key, under_way.upload_id, 1, b"x")
        assert self.janitor(object_store, engine, DAY, DAY).look() == 0
        assert uploads.get(view.id).state == "open"
        assert self.janitor(object_store, engine, timedelta(0), DAY).look() == 1
        with pytest.raises(NotFound):
            uploads.get(view.id)
        assert list(object_store.multiparts("")) == []

    def test_strays_go_whoever_began_them(self, object_store: MinioStore, engine: Engine) -> None:
        uploads = self.uploads(object_store, engine)
        view, _ = uploads.create(UploadCreate(name="d", filename="f", size_bytes=2 * PART))
        checkpoint = object_store.begin_multipart("jobs/job_1/checkpoints/weights")
        object_store.put_part("jobs/job_1/checkpoints/weights", checkpoint, 1, b"x")
        object_store.begin_multipart("staging/upload_x/source.rows")
        assert abort_strays(object_store, engine, DAY) == 0
        assert abort_strays(object_store, engine, DAY, datetime.now(UTC) + 2 * DAY) == 2
        assert [one.key for one in object_store.multiparts("")] == [f"staging/{view.id}/source"]
        uploads.abort(view.id)

    def test_an_upload_that_waits_to_be_checked_is_kept(self, object_store: MinioStore, engine: Engine) -> None:
        uploads = self.uploads(object_store, engine)
        data = jsonl(10_000)
        view, _ = uploads.create(UploadCreate(name="d", filename="f", size_bytes=len(data)))
        key = f"staging/{view.id}/source"
        under_way = next(object_store.multiparts(key))
        object_store.put_part(key, under_way.upload_id, 1, data)
        assert uploads.complete(view.id, None).state == "checking"
        object_store.finish_multipart(key, under_way.upload_id, object_store.parts(key, under_way.upload_id))
        assert self.janitor(object_store, engine, timedelta(0), timedelta(0)).look() == 0
        limits = Limits(1 << 30, 1 << 30)
        workers = completer(object_store, engine, Uploads(object_store, engine, limits))
        assert workers.work()
        assert not workers.work()
        assert uploads.get(view.id).state == "done"
        assert [found.key.partition("/")[0] for found in object_store.list("")] == ["datasets"]
