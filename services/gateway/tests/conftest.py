"""A gateway on a real database, with tiny HTTP servers that answer as the registry and the dataset service do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from flask import Flask, Response, jsonify, request

from gateway.app import Gateway, build
from gateway.config import GatewaySettings
from kargah.contracts.jobs import RecipeView
from kargah.jobstore import recipe_repository
from kargah.testing.jobs import JobBench, job_bench
from kargah.testing.serving import served

_AT = "2026-01-01T00:00:00Z"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "epochs": {
            "type": "integer",
            "minimum": 1,
            "maximum": 10_000,
            "default": 3,
            "basic": {"minimum": 1, "maximum": 100},
        },
        "learning_rate": {
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 10,
            "default": 5e-5,
            "basic": {"minimum": 1e-5, "maximum": 1e-2},
        },
        "batch_size": {
            "type": "integer",
            "minimum": 1,
            "maximum": 65_536,
            "default": 8,
            "basic": {"minimum": 1, "maximum": 64},
        },
        "max_steps": {
            "anyOf": [{"type": "integer", "minimum": 1, "maximum": 100_000_000}, {"type": "null"}],
            "default": None,
            "basic": {"minimum": 10, "maximum": 10_000},
        },
        "max_length": {
            "type": "integer",
            "minimum": 8,
            "maximum": 1_048_576,
            "default": 512,
            "basic": {"minimum": 16, "maximum": 8192},
            "measures": True,
        },
        "lr_schedule": {"enum": ["linear", "cosine"], "type": "string", "default": "linear"},
    },
}


def recipe(name: str = "masked_lm", **fields: Any) -> RecipeView:
    """A recipe for encoders and question/answer rows unless told otherwise."""
    given: dict[str, Any] = {
        "model_kinds": ["encoder"],
        "formats": ["question_answer", "text"],
        "rank": 10,
        "params_schema": SCHEMA,
    }
    given |= fields
    given.setdefault("measures", given["model_kinds"])
    return RecipeView(name=name, title=name, description="", **given)


@dataclass
class Peers:
    """What the stand-ins have installed: model name -> kind (an adapter's base is smollm2), dataset name -> format.
    `seen` are forwarded requests.
    A model in `configs` has that config.json, and tells how many parameters it has."""

    models: dict[str, str] = field(
        default_factory=lambda: {"bert_fa_base": "encoder", "smollm2": "causal_lm", "tuned": "adapter"}
    )
    datasets: dict[str, str] = field(default_factory=lambda: {"parsinlu_rc": "question_answer"})
    seen: list[dict[str, Any]] = field(default_factory=list)
    model_types: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=lambda: {"production": "1"})
    configs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def app(self) -> Flask:
        app = Flask("peers")
        self._add_catalogue(app)
        self._add_contents(app)
        return app

    def _add_catalogue(self, app: Flask) -> None:
        @app.get("/readyz")
        def readyz() -> Response:
            return jsonify(status="ready")

        @app.get("/api/models")
        def models() -> Response:
            items = [{"id": "m", "name": n, "createdAt": _AT, "latest": _model(n, k)} for n, k in self.models.items()]
            return jsonify(items=items)

        @app.get("/api/models/<path:name>/location")
        def model(name: str) -> tuple[Response, int]:
            wanted = request.args.get("version", "1")
            if name not in self.models or self.aliases.get(wanted, wanted) != "1":
                return jsonify(detail="no"), 404
            location = {"version": self._version(name), "bucket": "b", "prefix": "blobs/"}
            if self.models[name] == "adapter":
                location["base"] = {**location, "version": self._version("smollm2")}
            return self._unless_known(location)

        @app.get("/api/datasets")
        def datasets() -> Response:
            items = [
                {"id": "d", "name": n, "createdAt": _AT, "latest": _dataset(n, k)} for n, k in self.datasets.items()
            ]
            return jsonify(items=items)

        @app.get("/api/datasets/<path:name>/location")
        def dataset(name: str) -> tuple[Response, int]:
            if name not in self.datasets:
                return jsonify(detail="no"), 404
            location = {"version": _dataset(name, self.datasets[name]), "bucket": "b", "key": "k", "sizeBytes": 1}
            return self._unless_known(location)

        @app.delete("/api/models/<path:name>")
        @app.delete("/api/datasets/<path:name>")
        def delete(name: str) -> tuple[str, int]:
            self.seen.append({"path": request.full_path.rstrip("?")})
            return "", 204

    def _unless_known(self, location: dict[str, Any]) -> tuple[Response, int]:
        tag = f'W/"{location["version"]["id"]}"'
        known = request.headers.get("if-none-match") == tag
        answer = Response(status=304) if known else jsonify(location)
        answer.headers["etag"] = tag
        return answer, answer.status_code

    def _version(self, name: str) -> dict[str, Any]:
        version = _model(name, self.models[name])
        version["facts"]["modelType"] = self.model_types.get(name)
        if name in self.configs:
            version["facts"]["parameters"] = 134_515_008
            version["files"] = [{"path": "config.json", "sizeBytes": 100, "sha256": "0" * 64}]
        return version

    def _add_contents(self, app: Flask) -> None:
        @app.get("/api/models/<path:name>/files/config.json")
        def config(name: str) -> Response:
            return jsonify(self.configs[name])

        @app.put("/api/datasets/<path:rest>")
        def upload(rest: str) -> tuple[Response, int]:
            size = sum(len(chunk) for chunk in iter(lambda: request.stream.read(65536), b""))
            self.seen.append({"path": request.full_path, "size": size, "headers": dict(request.headers)})
            return jsonify(size=size), 201

        @app.post("/v1/chat/completions")
        def chat() -> Response:
            released = threading.Event()
            self.seen.append({"released": released})

            def pieces() -> Iterator[bytes]:
                yield b'data: {"n": 1}\n\n'
                released.wait(10)
                yield b"data: [DONE]\n\n"

            return Response(pieces(), content_type="text/event-stream")


def _model(name: str, kind: str) -> dict[str, Any]:
    facts = {"kind": kind}
    return {
        "id": f"mver_{name}", "model": name, "version": 1, "files": [], "facts": facts, "sizeBytes": 5,
        "source": "test", "createdAt": _AT,
    }  # fmt: skip


def _dataset(name: str, kind: str) -> dict[str, Any]:
    return {
        "id": f"dver_{name}", "dataset": name, "version": 2, "format": kind, "sha256": "0" * 64,
        "sourceFilename": "f", "sourceSha256": "0" * 64, "createdAt": _AT,
        "stats": {"rows": 7, "sizeBytes": 9, "fields": []},
    }  # fmt: skip


@dataclass(frozen=True)
class Stack:
    """A running gateway: `http` talks to it, `bench` to its database."""

    http: httpx.Client
    bench: JobBench
    peers: Peers
    gateway: Gateway
    url: str

    def submit(self, **config: Any) -> httpx.Response:
        body = {"baseModelPath": "models/bert_fa_base", "datasetPath": "datasets/text/parsinlu_rc"}
        return self.http.post("/api/train/jobs", json={"name": "Test Training", "config": {**body, **config}})


@pytest.fixture
def peers() -> Peers:
    return Peers()


@pytest.fixture
def stack(database_url_for: Callable[[str], str], peers: Peers) -> Iterator[Stack]:
    url = database_url_for("gateway")
    with served(peers.app()) as peer_url, job_bench(url) as bench:
        bench.do(recipe_repository.publish, [recipe(), recipe("sft", model_kinds=["causal_lm"], rank=5)])
        settings = GatewaySettings(
            database_url=url,
            registry_url=peer_url,
            datasets_url=peer_url,
            inference_url=peer_url,
            event_streams=3,
            sweep_seconds=0.2,
        )
        gateway = build(settings)
        gateway.start()
        with served(gateway.app) as gateway_url, httpx.Client(base_url=gateway_url, timeout=20, verify=False) as http:
            yield Stack(http, bench, peers, gateway, gateway_url)
        gateway.stop()
