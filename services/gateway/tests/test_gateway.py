"""What the gateway does beside jobs: passing requests on, sweeping, telling how it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import ValidationError

from gateway.app import build
from gateway.config import GatewaySettings
from gateway.openai_errors import openai_error
from kargah.contracts.problem import Problem
from kargah.embedded.ports import free_port
from kargah.testing.waiting import wait_until


def _samples(stack: Any) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(stack.http.get("/metrics").text)
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value for family in families for sample in family.samples
    }


def test_uploads_are_passed_on_as_they_come(stack: Any) -> None:
    size = 5 << 20

    def body() -> Iterator[bytes]:
        for _ in range(size >> 16):
            yield b"x" * (1 << 16)

    path = "/api/datasets/a%2Fb/content?filename=%D8%B3.jsonl&x=1"
    headers = {"content-length": str(size), "content-type": "application/octet-stream"}
    sized = stack.http.put(path, content=body(), headers=headers)
    assert (sized.status_code, sized.json()) == (201, {"size": size})
    chunked = stack.http.put(path, content=body(), headers={"x-request-id": "mine"})
    assert chunked.json() == {"size": size} and chunked.headers["x-request-id"] == "mine"
    first, second = stack.peers.seen
    assert first["path"] == "/api/datasets/a/b/content?filename=%D8%B3.jsonl&x=1"
    assert first["headers"]["Content-Length"] == str(size)
    assert second["headers"]["X-Request-Id"] == "mine"


def test_answers_are_passed_on_while_they_are_made(stack: Any) -> None:
    with stack.http.stream("POST", "/v1/chat/completions", json={"stream": True}) as response:
        pieces = response.iter_raw()
        assert next(pieces) == b'data: {"n": 1}\n\n'  # the peer still holds back the rest
        stack.peers.seen[-1]["released"].set()
        assert b"".join(pieces) == b"data: [DONE]\n\n"
    assert response.headers["content-type"] == "text/event-stream"


def test_answers_of_peers_keep_their_status_and_method(stack: Any) -> None:
    assert stack.http.get("/api/models").json()["items"][0]["name"] == "bert_fa_base"
    assert stack.http.get("/api/models/none/location").status_code == 404
    head = stack.http.head("/api/models")
    assert head.status_code == 200 and head.content == b"" and int(head.headers["content-length"]) > 0
    assert stack.http.delete("/api/models").status_code == 405


def test_with_everything_down_the_gateway_still_says_so() -> None:
    dead = f"http://127.0.0.1:{free_port()}"
    settings = GatewaySettings(
        database_url=f"postgresql://gateway:secret-word@{dead.removeprefix('http://')}/x",
        registry_url=dead,
        datasets_url=dead,
        inference_url=dead,
    )
    gateway = build(settings)
    client = gateway.app.test_client()
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503
    for path in ("/api/models", "/api/datasets/x", "/api/sources/installed", "/api/jobs", "/api/recipes"):
        answer = client.get(path)
        assert (answer.status_code, answer.json["code"]) == (503, "unavailable"), path
        assert answer.headers["retry-after"] == "2"
    # Tokens are counted where the tokenizers are; a dataset may have that name all the same.
    assert "inference service" in client.post("/api/datasets/x/tokens", json={}).json["detail"]
    assert "dataset service" in client.get("/api/datasets/x/tokens").json["detail"]
    assert client.get("/v1/models").json["error"]["type"] == "server_error"
    assert set(client.get("/api/status").json["services"].values()) == {"no answer"}
    assert b"kargah_queue_readable 0.0" in client.get("/metrics").data
    assert b"secret-word" not in client.get("/api/status").data
    for close in gateway.closing:
        close()


def test_a_conflict_is_not_retried_by_openai_clients() -> None:
    body = openai_error(Problem(title="Conflict", status=409, code="conflict", detail="No.", hint="Wait."))
    assert body.status == 400 and b'"No. Wait."' in body.body


def test_lost_workers_and_lost_rings_are_swept_up(stack: Any) -> None:
    claim = stack.bench.running(lease_seconds=-1)
    wait_until(lambda: stack.bench.get(claim.job_id).status == "pending")
    assert _samples(stack)[("kargah_leases_expired_total", "pending")] == 1
    wait_until(lambda: _samples(stack).get(("kargah_bell_rings_total", "rung"), 0) >= 1)


def test_prometheus_sees_the_queue(stack: Any) -> None:
    stack.bench.submit(kind="install")
    claim = stack.bench.running()
    stack.bench.submit()
    samples = _samples(stack)
    assert samples[("kargah_jobs", "pending", "train")] == 1
    assert 0 <= samples[("kargah_job_unsaved_seconds", claim.job_id)] < 60
    assert samples[("kargah_job_attempts", claim.job_id)] == 1
    assert samples[("kargah_job_steps_lost", claim.job_id)] == 0
    assert ("kargah_job_checkpoint_bytes", claim.job_id) not in samples
    assert samples[("kargah_jobs", "completed", "train")] == 0
    assert samples[("kargah_queue_depth", "install")] == 1
    assert 0 <= samples[("kargah_queue_oldest_wait_seconds", "train")] < 60
    assert samples[("kargah_queue_readable",)] == 1


def test_status_tells_every_endpoint_and_no_password(stack: Any) -> None:
    answer = stack.http.get("/api/status")
    status = answer.json()
    assert status["services"] == {"registry": "ready", "datasets": "ready", "inference": "ready", "database": "ready"}
    assert status["endpoints"]["database"].startswith("postgresql://127.0.0.1:")
    assert "only-for-tests" not in answer.text and status["bell"] == "postgres"


def test_the_service_describes_itself(stack: Any) -> None:
    paths = stack.http.get("/openapi.json").json()["paths"]
    for path in ("", "/{job_id}", "/{job_id}/logs", "/{job_id}/metrics", "/{job_id}/events", "/{job_id}/cancel"):
        assert f"/api/train/jobs{path}" in paths and f"/api/jobs{path}" in paths
    assert stack.http.get("/readyz").json()["status"] == "ready"


def test_broken_bodies_are_refused_with_the_reason(stack: Any) -> None:
    for content, status, said in (
        (b'{"name": "x"', 400, "not JSON"),
        (b'{"name": "x", "config": {"epochs": NaN}}', 400, "NaN"),
        (b'{"name": "a", "name": "b", "config": {}}', 400, "twice"),
        (b'{"name": "x", "config": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001, 400, "nested"),
        (b'{"name": "\\u0000", "config": {}}', 422, "name"),
        (b'{"name": "x", "config": {}, "color": 1}', 422, "color"),
        (b'{"name": " ", "config": {}}', 422, "name"),
        (b'{"name": "x", "config": {}, "priority": true}', 422, "priority"),
        (b'{"name": "x", "config": {}, "priority": 101}', 422, "100"),
    ):
        answer = stack.http.post("/api/train/jobs", content=content, headers={"content-type": "application/json"})
        assert answer.status_code == status and said in answer.text, answer.text


def test_an_open_network_needs_people_to_log_in() -> None:
    urls = {name: "http://127.0.0.1:1" for name in ("registry_url", "datasets_url", "inference_url")}
    with pytest.raises(ValidationError, match="KARGAH_AUTH=on"):
        GatewaySettings(host="0.0.0.0", database_url="postgresql://x@127.0.0.1/x", **urls)  # type: ignore[arg-type]


def test_the_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"registry_url": "r", "datasets_url": "d", "inference_url": "i", "database_url": "p", "sweep_seconds": "3"}
    for name, value in given.items():
        monkeypatch.setenv(f"KARGAH_{name.upper()}", value)
    settings = GatewaySettings()
    assert {name: str(getattr(settings, name)).removesuffix(".0") for name in given} == given
