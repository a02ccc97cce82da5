"""Repairs and splits as tasks: seen, cancelled, gone on with after a kill; what they work on is not deleted."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from typer.testing import CliRunner

from dataset_svc.changes import repository
from dataset_svc.changes.tables import changes
from dataset_svc.datasets.tables import metadata
from dataset_svc.resumable.tables import uploads
from kargah.cli.main import app
from kargah.clients.client import Client
from kargah.clients.transport import ApiError
from kargah.contracts.changes import ChangeView
from kargah.contracts.datasets import HashSplit, SplitRequest
from kargah.db.engine import create_engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.testing.dataset_service import DatasetService, dataset_service
from kargah.testing.fixtures import DatabaseUrlFor
from kargah.testing.waiting import wait_until

MANY = 60_000


@pytest.fixture(scope="module")
def running(postgres: EmbeddedPostgres, object_store_server: EmbeddedObjectStore) -> Iterator[DatasetService]:
    settings = {"KARGAH_UPLOAD_LEASE_SECONDS": "1", "KARGAH_COMPLETIONS": "1"}
    with dataset_service(postgres, object_store_server, settings) as service:
        lines = (f'{{"question":"پرسش {n}","answer":"كتاب {n}"}}\n' for n in range(MANY))
        service.put("many", "".join(lines).encode()).raise_for_status()
        yield service


@pytest.fixture
def service(running: DatasetService) -> Iterator[DatasetService]:
    yield running
    for change in running.client.get("/api/datasets/changes?limit=200").json()["items"]:
        running.client.post(f"/api/datasets/changes/{change['id']}/cancel")


def rows(*values: dict[str, Any]) -> bytes:
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values).encode()


def begun(service: DatasetService, seed: int) -> dict[str, Any]:
    """A split of the many rows that is being worked on."""
    body = {"version": 1, "hash": {"test": 0.1, "seed": seed}}
    view: dict[str, Any] = service.client.post("/api/datasets/many/splits", json=body).json()
    wait_until(lambda: look(service, view)["doneBytes"] > 0 or look(service, view)["state"] == "done", timeout=60)
    return view


def look(service: DatasetService, view: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = service.client.get(f"/api/datasets/changes/{view['id']}").json()
    return found


@pytest.mark.campaign
def test_a_killed_service_goes_on_and_makes_one_version(service: DatasetService) -> None:
    view = begun(service, seed=1)
    service.stop(signal.SIGKILL)
    service.start()
    wait_until(lambda: look(service, view)["state"] == "done", timeout=60)
    done = look(service, view)
    assert done["version"]["stats"]["splits"]["test"]["rows"] > MANY / 20
    assert (done["isNew"], done["doneBytes"]) == (True, done["totalBytes"])
    kept = service.client.get("/api/datasets/many/versions").json()["items"]
    assert [version["splits"] and version["splits"]["seed"] for version in kept] == [1, None]


def test_what_is_worked_on_is_not_deleted_and_a_cancelled_change_makes_nothing(service: DatasetService) -> None:
    waiting = [
        begun(service, seed=2),
        *(
            service.client.post("/api/datasets/many/repairs", json={"fixes": ["all"], "version": 1}).json()
            for _ in range(2)
        ),
    ]
    refused = service.client.delete("/api/datasets/many")
    assert refused.status_code == 409 and waiting[-1]["id"] in refused.json()["detail"]
    versions = service.client.get("/api/datasets/many/versions").json()["total"]
    last = waiting[-1]["id"]
    shown = CliRunner().invoke(app, ["--url", service.url, "dataset", "changes", last, "--cancel"]).stdout
    assert "repair of many: cancelled" in shown
    assert last in CliRunner().invoke(app, ["--url", service.url, "dataset", "changes"]).stdout
    for view in waiting[:-1]:
        service.client.post(f"/api/datasets/changes/{view['id']}/cancel")
    assert {look(service, view)["state"] for view in waiting[1:]} == {"cancelled"}
    assert service.client.post(f"/api/datasets/changes/{last}/cancel").status_code == 200, "twice is once"
    service.put("next", rows({"text": "a"}, {"text": "b"})).raise_for_status()
    assert service.changed("next", "splits", {"hash": {"test": 0.5}})["state"] in ("done", "failed")
    assert service.client.get("/api/datasets/many/versions").json()["total"] in (versions, versions + 1)


def test_the_sdk_hears_how_far_it_is_and_what_went_wrong(service: DatasetService) -> None:
    service.put("few", rows({"text": "یک"}, {"text": "دو"})).raise_for_status()
    heard: list[ChangeView] = []
    with Client(service.url) as client:
        with pytest.raises(ApiError, match="would have none"):
            client.datasets.split("few", SplitRequest(hash=HashSplit(test=0.000001)), on_change=heard.append)
        with pytest.raises(ApiError, match="no change"):
            client.datasets.changes.get("change_none")
        assert client.datasets.changes.list("few").items[0] == heard[-1]
    assert heard[-1].state == "failed"
    assert service.client.delete("/api/datasets/few").status_code == 204
    assert service.client.get(f"/api/datasets/changes/{heard[-1].id}").status_code == 404


def test_what_leaks_from_one_split_to_another_goes_with_one_flag(service: DatasetService) -> None:
    asked = {"question": "پایتخت ایران کجاست؟", "answer": "تهران", "split": "test"}
    service.put(
        "leaky",
        rows(
            asked,
            asked | {"question": "پایتخت ايران كجاست؟", "answer": "شهر تهران", "split": "train"},
            {"question": "دو به علاوهٔ دو؟", "answer": "چهار", "split": "train"},
            {"question": "سه به علاوهٔ دو؟", "answer": "پنج", "split": "val"},
            {"question": "سه به علاوهٔ دو؟", "answer": "پنج تا", "split": "train"},
        ),
    ).raise_for_status()
    found = service.client.get("/api/datasets/leaky").json()["latest"]["warnings"]
    assert {warning["repair"] for warning in found if warning["code"] == "leaked_questions"} == {"leakage"}
    command = ["--url", service.url, "dataset", "repair", "leaky", "--fix", "leakage"]
    assert "dropped 2" in CliRunner().invoke(app, command, catch_exceptions=False).stdout
    mended = service.client.get("/api/datasets/leaky").json()["latest"]
    assert {name: split["rows"] for name, split in mended["stats"]["splits"].items()} == {
        "train": 1, "validation": 1, "test": 1,
    }  # fmt: skip
    assert not [warning for warning in mended["warnings"] if warning["code"].startswith("leaked")]


def test_the_migrations_make_these_tables(database_url_for: DatabaseUrlFor) -> None:
    assert {changes.name, uploads.name} <= set(metadata.tables)
    engine = create_engine(database_url_for("dataset-svc"))
    with UnitOfWork(engine) as tx:
        differences = compare_metadata(MigrationContext.configure(tx.connection), metadata)
        assert repository.newest(tx.connection, None, 1) == []
    engine.dispose()
    assert [one for one in differences if "changes" in str(one)] == []
