"""Two projects in one dataset service: the same names side by side, and nothing of the other through any route."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from flask import Flask

from dataset_svc.background.workers import Workers
from dataset_svc.changes.craft import changers
from dataset_svc.changes.routes import add_changes
from dataset_svc.changes.service import Changes
from dataset_svc.changes.values import Change
from dataset_svc.datasets.objects import sweep
from dataset_svc.datasets.routes import datasets_api
from dataset_svc.datasets.service import DatasetService
from dataset_svc.datasets.uploads import Limits, Uploads
from dataset_svc.repairs.service import Repairs
from dataset_svc.resumable.completer import completer
from dataset_svc.resumable.routes import add_resumable
from dataset_svc.resumable.service import ResumableUploads, Rules
from dataset_svc.resumable.values import Upload
from dataset_svc.splits.service import SplitService
from kargah.adapters.minio_store import MinioStore
from kargah.db.engine import Engine, create_engine
from kargah.testing.fixtures import DatabaseUrlFor
from kargah.testing.scoped_app import Scoped, routes_of, scoped_client
from kargah.web.app import create_app
from kargah.web.settings import WebSettings

ONE, OTHER = "one", "other"
ROWS = b'{"text": "a"}\n{"text": "b"}\n{"text": "c"}\n{"text": "d"}\n'
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Service:
    """`http(project)` sends requests for a project."""

    app: Flask
    engine: Engine
    store: MinioStore
    uploads: Workers[Upload]
    changes: Workers[Change]

    def http(self, project: str) -> Scoped:
        return scoped_client(self.app, project)

    def objects(self) -> int:
        return sum(1 for _ in self.store.list("datasets/"))


@pytest.fixture
def service(database_url_for: DatabaseUrlFor, object_store: MinioStore) -> Iterator[Service]:
    engine, limits = create_engine(database_url_for("dataset-svc")), Limits(_MIB, _MIB)
    datasets, uploads = DatasetService(object_store, engine), Uploads(object_store, engine, limits)
    api = datasets_api(datasets, uploads, _MIB)
    rules = Rules(_MIB, _MIB, timedelta(hours=1))
    add_resumable(api, ResumableUploads(object_store, engine, rules, lambda: None))
    repairs, splits = Repairs(object_store, engine, datasets, uploads), SplitService(object_store, datasets, uploads)
    add_changes(api, Changes(engine, datasets, lambda: None))
    app = create_app("dataset-svc", api, {}, WebSettings())
    yield Service(
        app, engine, object_store, completer(object_store, engine, uploads), changers(engine, repairs, splits)
    )
    engine.dispose()


def _put(http: Scoped, name: str, rows: bytes = ROWS) -> Any:
    answer = http.put(f"/api/datasets/{name}/content?filename=x.jsonl", data=rows)
    assert answer.status_code in (200, 201), answer.json
    return answer


def test_the_same_name_and_rows_side_by_side(service: Service) -> None:
    one, other = service.http(ONE), service.http(OTHER)
    made = [_put(http, "same") for http in (one, other)]
    assert [answer.status_code for answer in made] == [201, 201]
    assert made[0].json["id"] != made[1].json["id"] and made[0].json["sha256"] == made[1].json["sha256"]
    assert service.objects() == 1, "equal rows are stored once"
    _put(other, "same", ROWS + b'{"text": "e"}\n')
    assert [http.get("/api/datasets/same").json["latest"]["version"] for http in (one, other)] == [1, 2]
    assert one.delete("/api/datasets/same").status_code == 204
    assert one.get("/api/datasets").json["total"] == 0
    assert sweep(service.store, service.engine, datetime.now(UTC) + timedelta(days=9)) == 0, "the other's rows stay"
    assert other.get("/api/datasets/same/content?version=1").data == ROWS


def _upload(http: Scoped, service: Service) -> str:
    """An upload in parts whose parts are there."""
    body = {"name": "large", "filename": "x.jsonl", "sizeBytes": len(ROWS), "sha256": sha256(ROWS).hexdigest()}
    view = http.post("/api/datasets/uploads", json=body).json
    assert http.post("/api/datasets/uploads", json=body).json["id"] == view["id"], "it goes on with the same"
    found = next(one for one in service.store.multiparts("staging/") if f"/{view['id']}/" in f"/{one.key}")
    service.store.put_part(found.key, found.upload_id, 1, ROWS)
    upload_id: str = view["id"]
    return upload_id


def test_background_work_is_done_in_the_project_of_its_task(service: Service) -> None:
    one, other = service.http(ONE), service.http(OTHER)
    _put(other, "same")
    _put(one, "same", ROWS + b'{"text": "f"}\n')
    change = one.post("/api/datasets/same/splits", json={"hash": {"test": 0.5}}).json["id"]
    assert service.changes.work()
    done = one.get(f"/api/datasets/changes/{change}").json
    assert (done["state"], done["version"]["version"], done["version"]["stats"]["rows"]) == ("done", 2, 5)
    assert other.get("/api/datasets/same").json["latest"]["version"] == 1


_BODIES: dict[str, Any] = {
    "repair_dataset": {"fixes": ["all"]},
    "split_dataset": {"hash": {"test": 0.5}},
    "create_dataset_upload": None,
    "create_dataset": None,
    "put_dataset_content": None,
}
"""What to send; None: the route makes something of one's own."""


def test_no_route_shows_or_changes_what_is_the_others(service: Service) -> None:
    one, other = service.http(ONE), service.http(OTHER)
    _put(one, "mine")
    given = {
        "name": "mine",
        "upload_id": _upload(one, service),
        "change_id": one.post("/api/datasets/mine/repairs", json={"fixes": ["all"]}).json["id"],
    }
    before = json.dumps(one.get("/api/datasets/mine").json)
    asked = 0
    for route in routes_of(service.app, "/api/datasets", given):
        if route.values and _BODIES.get(route.name, {}) is not None:
            answer = other.open(route.path, method=route.method, json=_BODIES.get(route.name))
            assert answer.status_code == 404, (route, answer.data)
            asked += 1
    assert asked >= 13
    for path in ("/api/datasets", "/api/datasets/changes", "/api/datasets/changes?dataset=mine"):
        assert other.get(path).json["items"] == [], path
    assert json.dumps(one.get("/api/datasets/mine").json) == before
    assert one.post(f"/api/datasets/uploads/{given['upload_id']}/complete").status_code == 202
    assert service.uploads.work()
    assert one.get("/api/datasets/large").json["latest"]["stats"]["rows"] == 4
    assert other.get("/api/datasets").json["total"] == 0
