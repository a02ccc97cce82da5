"""Every format over HTTP, from the SDK and from the command line, and what is told of rows that are doubtful."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from kargah.cli.main import app
from kargah.clients.client import Client
from kargah.clients.transport import ApiError
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.formats.registry import format_named
from kargah.testing.dataset_service import DatasetService, dataset_service
from kargah.testing.format_samples import SAMPLES

COLUMNS = {"question": "سوال من", "answer": "جواب من"}


@pytest.fixture(scope="module")
def service(postgres: EmbeddedPostgres, object_store_server: EmbeddedObjectStore) -> Iterator[DatasetService]:
    with dataset_service(postgres, object_store_server, {}) as running:
        yield running


@pytest.fixture(scope="module")
def client(service: DatasetService) -> Iterator[Client]:
    with Client(service.url) as sdk:
        yield sdk


def lines(*rows: dict[str, Any]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def in_own_columns(name: str, folder: Path) -> tuple[Path, dict[str, str]]:
    """The format's samples under strange column names, and the mapping that brings them home."""
    columns = {field: f"ستون {number}" for number, field in enumerate(format_named(name).fields, 1)}
    rows = [{columns.get(key, key): value for key, value in row.items()} for row in SAMPLES[name]]
    present = {field: column for field, column in columns.items() if column in rows[0]}
    path = folder / f"{name}.jsonl"
    path.write_bytes(lines(*rows))
    return path, present


@pytest.mark.parametrize("name", list(SAMPLES))
def test_every_format_is_recognised_through_its_mapping(
    name: str, service: DatasetService, client: Client, tmp_path: Path
) -> None:
    path, columns = in_own_columns(name, tmp_path)
    from_sdk = client.datasets.upload(path, name=f"sdk-{name}", columns=columns)
    mapping = ",".join(f"{field}:{column}" for field, column in columns.items())
    from_api = service.put(f"api-{name}", path.read_bytes(), map=mapping).json()
    pairs = [part for field, column in columns.items() for part in ("--map", f"{field}={column}")]
    command = ["--url", service.url, "dataset", "upload", str(path), "--name", f"cli-{name}", *pairs, "--json"]
    from_cli = json.loads(CliRunner().invoke(app, command, catch_exceptions=False).stdout)
    assert {from_sdk.format, from_api["format"], from_cli["format"]} == {name}
    assert from_sdk.sha256 == from_api["sha256"] == from_cli["sha256"]
    assert client.datasets.preview(f"sdk-{name}").rows == list(SAMPLES[name])


def test_the_total_of_problems_reaches_every_client(service: DatasetService, client: Client, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(lines(SAMPLES["question_answer"][0]) + b'{"question":"","answer":""}\n' * 50)
    problem = service.put("bad", path.read_bytes()).json()
    assert (problem["totalErrors"], problem["rows"], len(problem["errors"])) == (100, 51, 20)
    with pytest.raises(ApiError) as refused:
        client.datasets.upload(path)
    assert refused.value.problem.total_errors == 100
    assert "bad" not in service.names()


def test_warnings_have_count_places_and_repair(service: DatasetService) -> None:
    rows = [
        {"question": "نام او چیست؟", "answer": "علي"},
        {"question": "نام او چیست؟", "answer": "رضا"},
        {"question": "کجا می رود؟", "answer": "..."},
        {"question": "کی می رود؟", "answer": "ساعت ۵ يا 6"},
        {"question": "کی می رود؟", "answer": "ساعت ۵ يا 6"},
    ]
    warnings = {warning["code"]: warning for warning in service.put("doubtful", lines(*rows)).json()["warnings"]}
    told = {code: (warning["count"], warning["repair"]) for code, warning in warnings.items()}
    assert told == {
        "duplicate_rows": (1, "duplicates"),
        "near_empty_answer": (1, "near-empty"),
        "different_answers": (1, None),
        "arabic_yeh": (3, "arabic-letters"),
        "missing_half_space": (3, "half-space"),
        "mixed_digits": (2, "digits"),
    }
    assert [place["line"] for place in warnings["missing_half_space"]["places"]] == [3, 4, 5]
    start = len(lines(*rows[:2]))
    assert warnings["missing_half_space"]["places"][0] == {"line": 3, "byteOffset": start, "field": "question"}


def test_formats_that_nothing_trains_say_so(service: DatasetService) -> None:
    for name, rows in SAMPLES.items():
        codes = {warning["code"] for warning in service.put(f"say-{name}", lines(*rows)).json()["warnings"]}
        assert ("not_trained_yet" in codes) == (not format_named(name).trained)
