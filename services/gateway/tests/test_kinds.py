"""Evaluations, exports and imports through the gateway: what is queued, and what is refused with which field."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.jobs.evaluations import measuring
from kargah.contracts.jobs import RecipeView
from kargah.jobstore import recipe_repository

EVALUATION = {"model": "models/bert_fa_base", "dataset": "datasets/text/parsinlu_rc"}


def _recipe(name: str, model_kinds: list[str], measures: list[str]) -> RecipeView:
    properties = {
        "epochs": {"type": "integer", "minimum": 1, "default": 3},
        "max_length": {"type": "integer", "minimum": 8, "default": 512, "measures": True},
    }
    return RecipeView(
        name=name,
        title=name,
        description="",
        model_kinds=model_kinds,
        formats=["question_answer"],
        measures=measures,
        rank=1,
        params_schema={"type": "object", "properties": properties},
    )


def test_an_evaluation_is_queued_with_what_it_measures(stack: Any) -> None:
    body = {**EVALUATION, "config": {"maxRows": 10, "maxLength": 64}}
    answer = stack.http.post("/api/evaluations", json=body)
    assert answer.status_code == 201, answer.text
    job = answer.json()
    assert (job["kind"], job["status"], job["config"]["recipe"]) == ("evaluate", "pending", "masked_lm")
    assert job["config"]["params"] == {"max_rows": 10, "max_length": 64}
    assert job["config"]["outputModel"] is None
    assert job["config"]["baseModel"]["versionId"] == "mver_bert_fa_base"
    assert job["controls"] == ["pause", "cancel"]
    assert answer.headers["location"] == f"/api/jobs/{job['id']}"


def test_an_adapter_can_be_measured_under_the_older_name(stack: Any) -> None:
    stack.bench.do(recipe_repository.publish, [_recipe("sft", ["causal_lm"], ["causal_lm", "adapter"])])
    job = stack.http.post("/api/evaluations", json={"baseModel": "tuned", "dataset": "parsinlu_rc"}).json()
    assert (job["config"]["recipe"], job["config"]["params"]["max_rows"]) == ("sft", None)


@pytest.mark.parametrize(
    ("change", "field", "told"),
    [
        ({"model": "no-such"}, "model", "models/bert_fa_base"),
        ({"model": None}, "model", "Name the model"),
        ({"baseModel": "smollm2"}, "baseModel", "give one of them"),
        ({"dataset": "no-such"}, "dataset", "datasets/text/parsinlu_rc"),
        ({"dataset": "../../etc/passwd"}, "dataset", "There is no dataset"),
        ({"recipe": "no-such"}, "recipe", "masked_lm"),
        ({"recipe": "sft"}, "recipe", "takes causal_lm models"),
        ({"model": "tuned"}, "recipe", "No recipe takes adapter models"),
        ({"config": {"maxRows": 0}}, "config.maxRows", "from 1 to"),
        ({"config": {"maxRows": 1.5}}, "config.maxRows", "a whole number"),
        ({"config": {"maxLength": 8}}, "config.maxLength", "from 16 to 8192"),
        ({"config": {"epochs": 3}}, "config.epochs", "no such parameter"),
        ({"config": {"baseModel": "x"}}, "config.baseModel", "no place"),
        ({"config": {"max_rows": 5, "maxRows": 5}}, "config.maxRows", "give one of them"),
        ({"name": ""}, "name", ""),
        ({"priority": 101}, "priority", ""),
        ({"surprise": 1}, "surprise", ""),
    ],
)
def test_evaluations_that_cannot_be_are_refused(stack: Any, change: dict[str, Any], field: str, told: str) -> None:
    body = {key: value for key, value in {**EVALUATION, **change}.items() if value is not None}
    answer = stack.http.post("/api/evaluations", json=body)
    assert answer.status_code == 422, answer.text
    errors = {error["field"]: error["message"] for error in answer.json()["errors"]}
    assert told in errors[field]
    assert stack.http.get("/api/jobs").json()["items"] == []


def test_recipes_that_measure_nothing_are_passed_over() -> None:
    trains_only = _recipe("trains-only", ["encoder"], [])
    classifier = _recipe("classify", ["encoder", "classifier"], ["classifier"])
    (kept,) = measuring([trains_only, classifier])
    assert (kept.name, kept.model_kinds) == ("classify", ["classifier"])
    assert set(kept.params_schema["properties"]) == {"max_rows", "max_length"}


def test_an_export_makes_a_model_beside_the_adapter(stack: Any) -> None:
    job = stack.http.post("/api/exports", json={"model": "tuned"}).json()
    assert (job["kind"], job["config"]["outputModel"]) == ("export", "tuned-merged")
    named = stack.http.post("/api/exports", json={"model": "tuned@1", "outputModel": "models/finetuned/whole"}).json()
    assert named["config"]["outputModel"] == "whole"


def test_an_alias_is_resolved_when_the_job_is_queued(stack: Any) -> None:
    job = stack.http.post("/api/exports", json={"model": "models/tuned@production"}).json()
    assert job["config"]["baseModel"] == {"name": "tuned", "version": 1, "versionId": "mver_tuned"}
    assert job["config"]["submitted"]["model"] == "models/tuned@production"
    evaluation = stack.http.post("/api/evaluations", json={**EVALUATION, "model": "bert_fa_base@production"}).json()
    assert evaluation["config"]["baseModel"]["version"] == 1
    assert stack.submit(baseModelPath="models/bert_fa_base@production").status_code == 201
    assert stack.submit(baseModelPath="models/bert_fa_base@no-such").status_code == 422


def test_any_llama_becomes_a_gguf(stack: Any) -> None:
    stack.peers.model_types["smollm2"] = "llama"
    job = stack.http.post("/api/exports", json={"model": "smollm2", "format": "gguf"}).json()
    assert job["config"]["params"] == {"format": "gguf", "quantization": "f16"}
    assert job["config"]["outputModel"] == "smollm2-gguf"
    body = {"model": "tuned", "format": "gguf", "quantization": "q8_0", "outputModel": "small"}
    small = stack.http.post("/api/exports", json=body).json()
    assert (small["config"]["params"]["quantization"], small["config"]["outputModel"]) == ("q8_0", "small")


@pytest.mark.parametrize(
    ("body", "field", "told"),
    [
        ({"model": "smollm2"}, "model", "no adapter but a causal_lm model"),
        ({"model": "no-such"}, "model", "There is no model"),
        ({"model": "tuned", "outputModel": "a b"}, "outputModel", "Not a name"),
        ({"model": "tuned", "outputModel": ""}, "outputModel", ""),
        ({"model": "tuned@candidate"}, "model", "There is no model"),
        ({"model": "tuned", "quantization": "f16"}, "quantization", "Goes with the format gguf"),
        ({"model": "bert_fa_base", "format": "gguf"}, "model", "of the type llama"),
        ({"model": "tuned", "format": "onnx"}, "format", ""),
        ({}, "model", ""),
    ],
)
def test_exports_that_cannot_be_are_refused(stack: Any, body: dict[str, Any], field: str, told: str) -> None:
    answer = stack.http.post("/api/exports", json=body)
    assert answer.status_code == 422, answer.text
    errors = {error["field"]: error["message"] for error in answer.json()["errors"]}
    assert told in errors[field]


def test_a_push_names_a_repository(stack: Any) -> None:
    body = {"model": "tuned@production", "repository": "team/tuned"}
    job = stack.http.post("/api/pushes", json=body).json()
    assert (job["kind"], job["config"]["baseModel"]["version"], job["config"]["outputModel"]) == ("push", 1, None)
    assert job["config"]["params"] == {
        "repository": "team/tuned",
        "endpoint": None,
        "revision": "main",
        "private": True,
    }
    other = stack.http.post("/api/pushes", json={**body, "endpoint": "http://127.0.0.1:1/hub/"}).json()
    assert other["config"]["params"]["endpoint"] == "http://127.0.0.1:1/hub"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"model": "no-such"}, "model"),
        ({"repository": "a/b/c"}, "repository"),
        ({"repository": None}, "repository"),
        ({"endpoint": "ftp://x"}, "endpoint"),
        ({"endpoint": "https://user:secret@x"}, "endpoint"),
        ({"endpoint": "https://x:port"}, "endpoint"),
        ({"revision": "../x"}, "revision"),
        ({"private": "yes"}, "private"),
    ],
)
def test_pushes_that_cannot_be_are_refused(stack: Any, change: dict[str, Any], field: str) -> None:
    body = {"model": "tuned", "repository": "team/tuned", **change}
    answer = stack.http.post("/api/pushes", json={key: value for key, value in body.items() if value is not None})
    assert answer.status_code == 422, answer.text
    assert field in {error["field"] for error in answer.json()["errors"]}


def test_an_import_names_the_dataset_it_makes(stack: Any) -> None:
    job = stack.http.post("/api/imports", json={"source": "chatterbot", "name": "talk"}).json()
    assert (job["kind"], job["config"]["outputDataset"]) == ("import", "talk")
    assert job["config"]["params"] == {"source": "chatterbot", "language": "persian"}


@pytest.mark.parametrize(
    "source",
    [
        "https://example.org/a/b.jsonl?token=x",
        "s3://archive/a b/c.parquet",
        "hf:owner/name",
        "hf:owner/name@v1.0:data/train-0.parquet",
    ],
)
def test_sources_of_imports_are_kept_as_they_are(stack: Any, source: str) -> None:
    body = {"source": source, "name": "talk", "format": "question_answer", "map": "question:q"}
    job = stack.http.post("/api/imports", json=body).json()
    expected = {"source": source, "language": "persian", "format": "question_answer", "map": "question:q"}
    assert job["config"]["params"] == expected


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"source": "wikipedia"}, "source"),
        ({"source": "file:///etc/passwd"}, "source"),
        ({"source": "http://user:secret@example.org/x"}, "source"),
        ({"source": "http://[broken/x"}, "source"),
        ({"source": "https://"}, "source"),
        ({"source": "s3://archive"}, "source"),
        ({"source": "hf:name-alone"}, "source"),
        ({"name": "a b"}, "name"),
        ({"name": "owner/preview"}, "name"),
        ({"language": "../x"}, "language"),
        ({"url": "http://x"}, "url"),
    ],
)
def test_imports_that_cannot_be_are_refused(stack: Any, change: dict[str, Any], field: str) -> None:
    answer = stack.http.post("/api/imports", json={"source": "chatterbot", "name": "talk", **change})
    assert answer.status_code == 422, answer.text
    assert field in {error["field"] for error in answer.json()["errors"]}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/evaluations", EVALUATION),
        ("/api/exports", {"model": "tuned"}),
        ("/api/imports", {"source": "chatterbot", "name": "talk"}),
    ],
)
def test_asking_twice_with_one_key_is_one_job(stack: Any, path: str, body: dict[str, Any]) -> None:
    headers = {"idempotency-key": "once"}
    first, again = (stack.http.post(path, json=body, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    other = stack.http.post(path, json={**body, "priority": 1}, headers=headers)
    assert other.status_code == 409


@pytest.mark.parametrize("kind", ["evaluate", "export", "import"])
def test_each_kind_has_its_list_and_its_controls(stack: Any, kind: str) -> None:
    job_id = stack.bench.submit(kind=kind)
    stack.bench.submit()
    assert [job["id"] for job in stack.http.get(f"/api/jobs?kind={kind}").json()["items"]] == [job_id]
    assert stack.http.get(f"/api/train/jobs/{job_id}").status_code == 404
    stack.bench.claim(kind=kind)
    for control in ("stop", "checkpoint"):
        assert stack.http.post(f"/api/jobs/{job_id}/{control}").status_code == 409
    assert stack.http.post(f"/api/jobs/{job_id}/pause").json()["desired"] == "pause"
    assert stack.http.post(f"/api/jobs/{job_id}/cancel").json()["status"] == "cancelled"
    assert stack.http.post(f"/api/jobs/{job_id}/extend", json={"epochs": 1}).status_code == 409
    again = stack.http.post(f"/api/jobs/{job_id}/restart")
    assert (again.status_code, again.json()["kind"]) == (201, kind)


def test_an_unknown_kind_is_refused(stack: Any) -> None:
    answer = stack.http.get("/api/jobs?kind=dance")
    assert answer.status_code == 422 and "evaluate" in answer.json()["errors"][0]["message"]
