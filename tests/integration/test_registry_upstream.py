"""What the registry tells of an upstream hub, over its real protocol."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx2
import numpy as np
import pytest
from safetensors.numpy import save

from kargah.adapters.minio_store import MinioStore
from kargah.testing.fixtures import DatabaseUrlFor
from registry.testing.bench import RegistryBench, registry_bench
from registry.upstream import client
from worker.testing.hub_server import COMMIT, Hub, serving

WEIGHTS = save({"w": np.arange(5000, dtype=np.float32)})
CONFIG = {"model_type": "llama", "architectures": ["LlamaForCausalLM"]}
FILES = {
    "config.json": json.dumps(CONFIG).encode(),
    "tokenizer.json": b"{}",
    "README.md": b"# card",
    "model.safetensors": WEIGHTS,
    "pytorch_model.bin": b"pickle" * 100,
}


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving(Hub(dict(FILES))) as served:
        yield served


@pytest.fixture
def registry(hub: Hub, database_url_for: DatabaseUrlFor, object_store: MinioStore) -> Iterator[RegistryBench]:
    with registry_bench(database_url_for("registry"), object_store, upstream_url=hub.url) as bench:
        yield bench


def judged(registry: RegistryBench, query: str = "") -> Any:
    answer = registry.http.get(f"/api/hub/models/org/model{query}")
    assert answer.status_code == 200, answer.json
    return answer.json


def test_a_search_finds_models_with_their_licences(registry: RegistryBench, hub: Hub) -> None:
    hub.card = {"license": "apache-2.0"}
    found = registry.http.get("/api/hub/search?q=model").json
    assert found["endpoint"] == hub.url
    (item,) = found["items"]
    assert (item["id"], item["license"], item["downloads"], item["gated"]) == ("org/model", "apache-2.0", 7, False)
    assert registry.http.get("/api/hub/search?q=nothing-like-it").json["items"] == []
    assert registry.http.get("/api/hub/search").status_code == 422
    assert registry.http.get("/api/hub/search?q=x&limit=0").status_code == 422


def test_a_model_is_judged_before_anything_is_downloaded(registry: RegistryBench, hub: Hub) -> None:
    hub.card = {"license": "other", "license_name": "house-1"}
    found = judged(registry)
    assert (found["commit"], found["source"], found["license"]) == (COMMIT, f"hub:org/model@{COMMIT}", "house-1")
    assert found["safe"] and found["problem"] is None
    wanted = {file["path"] for file in found["files"] if file["wanted"]}
    assert wanted == {"config.json", "tokenizer.json", "README.md", "model.safetensors"}
    assert found["downloadBytes"] == sum(len(FILES[path]) for path in wanted)
    assert found["sizeBytes"] == sum(map(len, FILES.values()))
    pickled = next(file for file in found["files"] if file["path"] == "pytorch_model.bin")
    assert "can run code" in pickled["problem"]
    assert "model.safetensors" not in [path for path, _ in hub.ranges]


@pytest.mark.parametrize(
    ("change", "code", "word"),
    [
        ({"model.safetensors": None}, "pickle_only", "pickled weights only"),
        ({"config.json": {**CONFIG, "auto_map": {"AutoModel": "m.M"}}}, "refused_config", "auto_map"),
        (
            {"tokenizer_config.json": {"auto_map": {"AutoTokenizer": ["t.T", None]}}},
            "refused_config",
            "tokenizer_config.json",
        ),
        ({"config.json": {"model_type": "my_own"}}, "refused_config", "my_own"),
        ({"config.json": None}, "no_config", "no config.json"),
        ({"config.json": b"[1"}, "bad_config", "no JSON"),
    ],
)
def test_what_is_not_safe_is_refused_with_the_reason(
    registry: RegistryBench, hub: Hub, change: dict[str, Any], code: str, word: str
) -> None:
    for path, value in change.items():
        if value is None:
            del hub.files[path]
        else:
            hub.files[path] = value if isinstance(value, bytes) else json.dumps(value).encode()
    found = judged(registry)
    assert not found["safe"] and word in found["problem"] and found["problemCode"] == code
    assert found["downloadBytes"] == 0 and not any(file["wanted"] for file in found["files"])


def test_what_the_hub_says_no_to(registry: RegistryBench, hub: Hub) -> None:
    absent = registry.http.get("/api/hub/models/org/other")
    assert absent.status_code == 404 and "org/other" in absent.json["detail"]
    assert registry.http.get("/api/hub/models/org/model?revision=v9").status_code == 404
    assert registry.http.get("/api/hub/models/org/model?revision=../x").status_code == 422
    assert registry.http.get("/api/hub/models/a/b/c").status_code == 422
    hub.gated = True
    gated = registry.http.get("/api/hub/models/org/model")
    assert gated.status_code == 403 and "HF_TOKEN" in gated.json["hint"]


def test_a_hub_that_is_away_is_told(registry: RegistryBench, hub: Hub) -> None:
    hub.down = True
    answer = registry.http.get("/api/hub/search?q=x")
    assert answer.status_code == 503 and "KARGAH_UPSTREAM_URL" in answer.json["hint"]
    assert registry.http.get("/readyz").status_code == 200, "the registry does without"


def test_a_hub_that_says_nothing_is_not_waited_for(
    database_url_for: DatabaseUrlFor, object_store: MinioStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client._TIMEOUT.read == 5.0 and client._TIMEOUT.connect == 3.0
    monkeypatch.setattr(client, "_TIMEOUT", httpx2.Timeout(0.2))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with registry_bench(database_url_for("registry"), object_store, upstream_url=url) as bench:
            for path in ("/api/hub/search?q=x", "/api/hub/models/org/model"):
                assert bench.http.get(path).status_code == 503
