"""Repairs over HTTP, SDK and command line, on a real Postgres and S3: new versions with their lineage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from kargah.cli.main import app
from kargah.clients.client import Client
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.testing.dataset_service import DatasetService, dataset_service

ROWS: list[dict[str, Any]] = [
    {"question": "كتاب ها کجاست؟", "answer": "روي ميز", "url": "http://a.ir/كتاب", "n": 1.5},
    {"question": "کتاب‌ها کجاست؟", "answer": "روی میز", "url": "http://a.ir/كتاب", "n": 1.5},
    {"question": "کی آمد؟", "answer": "..."},
    {"question": "چند تا؟", "answer": "۵ یا 6"},
    {"question": "رمز؟", "answer": "`علي`"},
]
MENDED = [ROWS[1], {"question": "چند تا؟", "answer": "۵ یا ۶"}, ROWS[4]]


@pytest.fixture(scope="module")
def running(postgres: EmbeddedPostgres, object_store_server: EmbeddedObjectStore) -> Iterator[DatasetService]:
    with dataset_service(postgres, object_store_server, {}) as service:
        yield service


@pytest.fixture
def service(running: DatasetService) -> Iterator[DatasetService]:
    """The dataset `d` with the rows above; afterwards nothing may be left of it."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
    assert running.put("d", text.encode()).status_code == 201
    yield running
    for name in running.names():
        running.client.delete(f"/api/datasets/{name}")
    assert running.stored() == []


def repair(service: DatasetService, name: str = "d", **body: Any) -> tuple[bool, dict[str, Any]]:
    """Whether the version is new, and the report."""
    done = service.changed(name, "repairs", body)
    assert done["state"] == "done", done
    return done["isNew"], done["report"]


def refused(service: DatasetService, name: str = "d", **body: Any) -> tuple[int, dict[str, Any]]:
    answer = service.client.post(f"/api/datasets/{name}/repairs", json=body)
    return answer.status_code, answer.json()


def rows_of(service: DatasetService, name: str = "d") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = service.client.get(f"/api/datasets/{name}/preview?limit=100").json()["rows"]
    return found


def test_repairs_make_a_version_with_lineage_and_twice_is_once(service: DatasetService) -> None:
    new, report = repair(service, fixes=["all"])
    assert (new, report["rowsChanged"], report["rowsDropped"], report["rows"]) == (True, 2, 2, 5)
    assert report["counts"] == {
        "control-characters": 0, "unicode": 0, "arabic-letters": 3, "half-space": 1, "digits": 1,
        "near-empty": 1, "duplicates": 1,
    }  # fmt: skip
    assert list(report["counts"]) == report["fixes"]
    assert rows_of(service) == MENDED
    result = report["result"]
    assert (result["version"], result["format"], result["warnings"]) == (2, "question_answer", [])
    first = service.client.get("/api/datasets/d?version=1").json()["latest"]
    assert (first["lineage"], first["stats"]["rows"]) == (None, 5)
    assert result["lineage"] == {
        "version": 1, "versionId": first["id"], "repairs": report["fixes"], "rowsChanged": 2, "rowsDropped": 2,
        "importedFrom": None,
    }  # fmt: skip
    new, again = repair(service, fixes=["all"])
    assert (new, again["rowsChanged"], again["rowsDropped"], again["result"]) == (False, 0, 0, result)
    new, same = repair(service, fixes=["all"], version=1)
    assert (new, same["result"]) == (False, result)
    assert len(service.client.get("/api/datasets/d/versions").json()["items"]) == 2


def test_dry_run_tells_and_keeps_nothing(service: DatasetService) -> None:
    before = service.stored()
    new, report = repair(service, fixes=["half-space", "near-empty"], dryRun=True)
    assert (new, report["result"], report["rowsChanged"], report["rowsDropped"]) == (False, None, 1, 1)
    mended, dropped = report["samples"]
    assert (mended["row"], mended["field"], mended["fixes"]) == (1, "question", ["half-space"])
    assert (mended["before"], mended["after"]) == ("كتاب ها کجاست؟", "كتاب‌ها کجاست؟")
    assert (dropped["row"], dropped["fixes"], dropped["after"]) == (3, ["near-empty"], None)
    assert service.stored() == before


def test_what_cannot_be_repaired_is_refused(service: DatasetService) -> None:
    before = service.stored()
    for fixes, code in ((["speling"], "unknown_fix"), (["leakage"], "no_splits")):
        status, problem = refused(service, fixes=fixes)
        assert (status, problem["errors"][0]["field"], problem["errors"][0]["code"]) == (422, "fixes", code)
    assert refused(service, fixes=[])[0] == 422
    assert refused(service, fixes=["all"], version=7)[0] == 404
    assert refused(service, "none", fixes=["all"])[0] == 404
    empty = b'{"question":"q","answer":"-"}\n{"question":"w","answer":"."}\n'
    assert service.put("empty", empty).status_code == 201
    failed = service.changed("empty", "repairs", {"fixes": ["near-empty"]})
    assert (failed["state"], failed["problem"]["errors"][0]["code"]) == ("failed", "too_few_rows")
    service.client.delete("/api/datasets/empty")
    assert service.stored() == before


def test_rows_that_would_say_nothing_stay(service: DatasetService) -> None:
    rows = '{"text":"\\u200f"}\n{"text":"سلام\\u200f"}\n'
    assert service.put("invisible", rows.encode()).status_code == 201
    report = repair(service, "invisible", fixes=["control-characters"])[1]
    assert (report["rowsChanged"], report["rowsUnfit"]) == (1, 1)
    assert rows_of(service, "invisible") == [{"text": "\u200f"}, {"text": "سلام"}]
    command = ["--url", service.url, "dataset", "repair", "invisible", "--version", "1", "--fix", "all", "--dry-run"]
    assert "سلام⟨200F⟩" in CliRunner().invoke(app, command, catch_exceptions=False).stdout


def test_from_the_command_line_and_the_sdk(service: DatasetService) -> None:
    command = ["--url", service.url, "dataset", "repair", "d", "--fix", "digits", "--fix", "arabic-letters"]
    shown = CliRunner().invoke(app, [*command, "--dry-run"], catch_exceptions=False).stdout
    assert "would change 2 of 5 rows" in shown
    assert "۵ یا ۶" in shown
    made = CliRunner().invoke(app, command, catch_exceptions=False).stdout
    assert "the rows are version 2" in made
    assert "nothing to mend" in CliRunner().invoke(app, command, catch_exceptions=False).stdout
    with Client(service.url) as client:
        report = client.datasets.repair("d", ["all"], version=1)
        assert report.result is not None
        assert report.result.version == 3
        assert client.datasets.repair("d", ["all"], dry_run=True).rows_changed == 0


def test_versions_are_listed_and_named(service: DatasetService) -> None:
    repair(service, fixes=["digits"])
    run = ["--url", service.url, "dataset"]
    listed = CliRunner().invoke(app, [*run, "versions", "d"], catch_exceptions=False).stdout
    first, second = " ".join(listed.split()).split("question_answer")[1:]
    assert first.endswith("version 1, repaired (digits) 1 ") and second.endswith("x.jsonl")
    for version, answer in (("d@1", "۵ یا 6"), ("d@2", "۵ یا ۶"), ("d", "۵ یا ۶")):
        shown = CliRunner().invoke(app, [*run, "preview", version], catch_exceptions=False).stdout
        assert answer in shown
    assert "version 1" in CliRunner().invoke(app, [*run, "show", "d@1"], catch_exceptions=False).stdout
    assert "--fix all --dry-run" in CliRunner().invoke(app, [*run, "show", "d"], catch_exceptions=False).stdout
    assert CliRunner().invoke(app, [*run, "stats", "d@1", "--version", "2"]).exit_code == 2


def test_rows_keep_their_split(service: DatasetService) -> None:
    rows = [{"text": f"متن {number}", "split": "test" if number % 3 == 0 else "train"} for number in range(12)]
    rows[1:1] = [{"text": "متن \u200f0", "split": "test"}, {"text": "...", "split": "train"}]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    assert set(service.put("divided", text.encode()).json()["stats"]["splits"]) == {"train", "test"}
    report = repair(service, "divided", fixes=["all"])[1]
    result = report["result"]
    assert (report["rowsDropped"], report["version"], result["version"]) == (2, 1, 2)
    assert {name: stats["rows"] for name, stats in result["stats"]["splits"].items()} == {"train": 8, "test": 4}
    places = service.store.get(f"datasets/{result['splits']['sha256']}")
    kept = rows_of(service, "divided")
    assert [result["splits"]["names"][place] for place in places] == [row["split"] for row in kept]
    again, report = repair(service, "divided", fixes=["all"])
    assert (again, report["result"]["version"]) == (False, 2)


def test_a_larger_version_streams_through(service: DatasetService) -> None:
    row = json.dumps({"question": "متن ساده " * 20, "answer": "پاسخ " * 40}, ensure_ascii=False)
    text = "".join(f'{{"number":{number % 6_000},{row[1:]}\n' for number in range(8_000))
    assert service.put("large", text.encode()).status_code == 201
    report = repair(service, "large", fixes=["duplicates"])[1]
    assert (report["rowsDropped"], report["result"]["stats"]["rows"]) == (2_000, 6_000)
