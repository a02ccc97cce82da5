"""The first five minutes, as a new user has them: the embedded stack, the command line, the documents' curl calls."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kargah import Client
from kargah.embedded.ports import free_port
from kargah.testing.servers.folder import server_folder
from tests.hub.client import StockClients
from worker.testing.tiny_models import tiny_bert, tiny_llama

from .commands import PERSIAN_QA, Kargah
from .openapi import check_document

DOCUMENTED_BODY = (
    '{"name":"Test Training","config":{"baseModelPath":"models/bert_fa_base","datasetPath":"datasets/text/parsinlu_rc",'
    '"outputDir":"models/finetuned/test","epochs":2,"learningRate":0.00005,"batchSize":4,"maxSteps":50}}'
)


@pytest.fixture(scope="module")
def data_folder() -> Iterator[Path]:
    with server_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def kargah(data_folder: Path) -> Iterator[Kargah]:
    """A detached stack, stopped at the end by `kargah down` unless the last test has done so."""
    command = Kargah(f"http://127.0.0.1:{free_port()}")
    _up(command, data_folder)
    yield command
    if (data_folder / "run" / "stack.json").exists():
        command.run("down", "--data", str(data_folder))


@pytest.fixture(scope="module")
def installed(kargah: Kargah, tmp_path_factory: pytest.TempPathFactory) -> Kargah:
    """The stack with a BERT, a Llama and the Persian set, under the names that the documents use."""
    kargah.run("model", "install", str(tiny_bert(tmp_path_factory.mktemp("bert"))), "--name", "bert_fa_base")
    kargah.run("model", "install", str(tiny_llama(tmp_path_factory.mktemp("llama"))), "--name", "tiny-llama")
    kargah.run("dataset", "upload", str(PERSIAN_QA), "--name", "parsinlu_rc")
    return kargah


def _up(command: Kargah, data_folder: Path) -> None:
    port = command.url.rpartition(":")[2]
    command.run("up", "--detach", "--data", str(data_folder), "--port", port)


def test_status_names_every_endpoint(kargah: Kargah) -> None:
    endpoints = kargah.json("status")["endpoints"]
    assert {"api", "openai", "hub", "studio", "metrics"} <= set(endpoints)
    assert endpoints["hub"] == f"{kargah.url}/hub"


def test_one_document_describes_everything_behind_the_door(kargah: Kargah) -> None:
    document = httpx.get(f"{kargah.url}/openapi.json").json()
    check_document(document)
    wanted = {"/api/train/jobs", "/api/datasets/{name}/content", "/api/models", "/v1/chat/completions", "/api/queue"}
    wanted.add("/hub/api/{kind}/{name}")
    assert wanted <= set(document["paths"])


def test_documented_job_before_anything_is_installed(kargah: Kargah) -> None:
    answer = httpx.post(f"{kargah.url}/api/train/jobs", content=DOCUMENTED_BODY, headers=_JSON)
    assert answer.status_code == 422
    assert "config.baseModelPath" in {error["field"] for error in answer.json()["errors"]}


_JSON = {"content-type": "application/json"}


def test_the_documents_five_calls(installed: Kargah) -> None:
    url = f"{installed.url}/api/train/jobs"
    submitted = httpx.post(url, content=DOCUMENTED_BODY, headers=_JSON)
    assert submitted.status_code == 201, submitted.text
    job_id = submitted.json()["id"]
    assert job_id in {job["id"] for job in httpx.get(url).json()["items"]}
    ended = _ended(f"{url}/{job_id}")
    assert ended["status"] == "completed", ended["error"]
    lines = httpx.get(f"{url}/{job_id}/logs", params={"limit": 50}).json()["lines"]
    assert 0 < len(lines) <= 50
    second = httpx.post(url, content=DOCUMENTED_BODY, headers=_JSON).json()["id"]
    assert httpx.post(f"{url}/{second}/cancel").json()["status"] == "cancelled"


def test_events_are_replayed_after_the_last_one_seen(installed: Kargah) -> None:
    with Client(installed.url) as client:
        job = client.jobs.submit(
            "events", {"baseModel": "tiny-llama", "dataset": "parsinlu_rc", "maxSteps": 10, "outputModel": "events"}
        )
        numbers = [int(event.id) for event in client.jobs.watch(job.id) if event.id]
        assert numbers == list(range(1, len(numbers) + 1))
        middle = numbers[len(numbers) // 2]
        again = [int(event.id) for event in client.jobs.watch(job.id, after=str(middle)) if event.id]
    assert again == numbers[middle:]


def test_train_and_chat_from_the_command_line(installed: Kargah, tmp_path: Path) -> None:
    job = installed.json(
        "train", "-m", "tiny-llama", "-d", "parsinlu_rc", "-o", "tuned", "--max-steps", "30", "--lr", "0.005"
    )
    assert job["status"] == "completed"
    losses = [point.value for point in _metrics(installed, job["id"], "loss")]
    assert sum(losses[-5:]) < sum(losses[:5])
    assert isinstance(installed.json("chat", "tuned", "پایتخت ایران کجاست؟", "--max-tokens", "8")["answer"], str)
    assert "step" in installed.run("logs", "last").stdout
    assert job["id"] in {row["id"] for row in installed.json("jobs")["items"]}
    clients = StockClients(f"{installed.url}/hub", tmp_path, xet=True)
    try:
        assert clients("generate", repo_id="tiny-llama", adapter="tuned") != clients("generate", repo_id="tiny-llama")
        rows = [json.loads(line) for line in PERSIAN_QA.read_text(encoding="utf-8").splitlines()]
        assert clients("load", repo_id="kargah/parsinlu_rc", revision="v1", streaming=True) == rows
    finally:
        clients.close()


def test_what_would_be_trained_is_shown_before_it_is(installed: Kargah) -> None:
    show = ("dataset", "show", "parsinlu_rc", "--tokens", "--model", "tiny-llama", "--row", "2", "--max-length", "64")
    answer = installed.json(*show)
    (row,) = answer["rows"]
    learnt = [span["text"] for span in row["spans"] if span["state"] == "trained"]
    assert (row["row"], answer["recipe"], answer["length"]) == (1, "sft", 64)
    assert answer["figures"]["rows"] == answer["figures"]["rowsInVersion"]
    told = installed.run(*show).stdout
    assert all(f"⟦{text}⟧" in told for text in learnt)
    assert "tokens a word" in told


def test_rows_are_divided_searched_described_and_taken_out(installed: Kargah, tmp_path: Path) -> None:
    installed.run("dataset", "upload", str(PERSIAN_QA), "--name", "divided")
    divided = installed.json("dataset", "split", "divided", "--test", "10%", "--validation", "0.05", "--seed", "7")
    rows = {name: stats["rows"] for name, stats in divided["stats"]["splits"].items()}
    assert sum(rows.values()) == divided["stats"]["rows"] and set(rows) == {"train", "validation", "test"}
    assert divided["stats"]["scripts"] == {"persian": divided["stats"]["rows"]}
    assert "Persian" in installed.run("dataset", "stats", "divided").stdout

    files = [Path(path) for path in installed.json("dataset", "download", "divided", str(tmp_path / "rows"))["files"]]
    assert {file.stem: len(file.read_bytes().splitlines()) for file in files} == rows

    found = installed.json("dataset", "preview", "divided", "--search", "سفر", "--limit", "2")
    assert len(found["rows"]) == 2 and all("سفر" in str(row) for row in found["rows"])

    arguments = ("-m", "tiny-llama", "-d", "divided", "-o", "by-splits", "--max-steps", "10")
    job = installed.json("train", *arguments)
    logs = installed.run("logs", job["id"]).stdout
    assert f"{rows['train']} to train on, {rows['validation']} held out" in " ".join(logs.split())


def test_wrong_use_is_explained(installed: Kargah) -> None:
    refused = installed.run("train", "-m", "no-such-model", "-d", "parsinlu_rc", expect=1)
    assert "no-such-model" in refused.stderr
    assert "no model 'nobody' to talk to" in " ".join(installed.run("chat", "nobody", expect=1).stderr.split())
    assert installed.run("cancel", "job_unknown", expect=1).stderr.strip()
    assert Kargah("http://127.0.0.1:9").run("jobs", expect=3).stderr.strip()


def test_a_second_stack_on_the_same_folder_is_refused(kargah: Kargah, data_folder: Path) -> None:
    refused = kargah.run("up", "--data", str(data_folder), "--port", str(free_port()), expect=1)
    assert "already runs" in refused.stderr


def _ended(url: str, seconds: float = 120.0) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while (job := httpx.get(url, verify=False).json())["status"] not in {"completed", "error", "cancelled"}:
        assert time.monotonic() < deadline, f"still {job['status']}"
        time.sleep(0.2)
    return dict(job)


def _metrics(kargah: Kargah, job_id: str, name: str) -> Any:
    with Client(kargah.url) as client:
        return client.jobs.metrics(job_id, name=name).points


def _kept(kargah: Kargah) -> dict[str, Any]:
    return {
        "models": sorted(model["name"] for model in kargah.json("model", "list")["items"]),
        "datasets": sorted(dataset["name"] for dataset in kargah.json("dataset", "list")["items"]),
        "jobs": sorted((job["id"], job["status"]) for job in kargah.json("jobs")["items"]),
    }


def test_the_chatterbot_corpus_is_imported_by_a_job(kargah: Kargah) -> None:
    version = kargah.json("dataset", "import", "chatterbot")
    assert version["format"] == "question_answer"
    assert version["stats"]["rows"] > 1000
    assert kargah.json("dataset", "import", "chatterbot")["version"] == version["version"]
    jobs = kargah.json("jobs", "--kind", "import")["items"]
    assert [job["status"] for job in jobs] == ["completed", "completed"]
    assert jobs[0]["result"]["versionId"] == version["id"]


def test_a_tuned_model_is_measured_exported_and_answers(installed: Kargah) -> None:
    data = ("-d", "parsinlu_rc")
    trained = ("train", "-m", "tiny-llama", *data, "-o", "to-export", "--max-steps", "20", "--lr", "0.005")
    assert installed.json(*trained)["status"] == "completed"
    measured = (*data, "--max-rows", "40", "--set", "max_length=128")
    before = installed.json("evaluate", "-m", "tiny-llama", *measured)["result"]
    after = installed.json("evaluate", "-m", "to-export", *measured)["result"]
    assert (before["rows"], len(before["samples"])) == (40, 3)
    assert after["metrics"]["perplexity"] < before["metrics"]["perplexity"]
    version = installed.json("model", "export", "to-export")
    assert (version["model"], version["facts"]["kind"]) == ("to-export-merged", "causal_lm")
    assert version["lineage"]["exported_from"]["name"] == "to-export"
    whole = installed.json("evaluate", "-m", "to-export-merged", *measured)["result"]
    assert whole["metrics"]["eval_loss"] == pytest.approx(after["metrics"]["eval_loss"], rel=0.01)
    answer = installed.json("chat", "to-export-merged", "پایتخت ایران کجاست؟", "--max-tokens", "8")["answer"]
    assert isinstance(answer, str)
    assert "perplexity" in installed.run("evaluate", "-m", "to-export", *measured).stdout


def test_what_is_no_adapter_cannot_be_exported(installed: Kargah) -> None:
    refused = installed.run("model", "export", "tiny-llama", expect=1)
    assert "no adapter" in refused.stderr


def test_a_second_start_finds_everything_again_and_ctrl_c_stops_it(installed: Kargah, data_folder: Path) -> None:
    """The last one here: it leaves no stack. The first start was detached, the second is in the foreground."""
    before = _kept(installed)
    installed.run("down", "--data", str(data_folder))
    port = installed.url.rpartition(":")[2]
    command = [sys.executable, "-m", "kargah.cli.main", "up", "--data", str(data_folder), "--port", port]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as stack:
        assert stack.stdout is not None
        first = stack.stdout.readline()
        try:
            assert "ready" in first
            assert _kept(installed) == before
        finally:
            stack.send_signal(2)
            rest = stack.stdout.read()
    assert before["models"] and before["datasets"] and before["jobs"]
    assert stack.returncode == 0, rest
    assert not (data_folder / "run" / "stack.json").exists()
