"""The services with a few things in them, ready to be fuzzed."""

from __future__ import annotations

import hashlib
import json
import secrets
import tempfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from safetensors.numpy import save

from kargah.access.principal import Principal
from kargah.access.roles import Role
from kargah.access.tokens import mint_service_token
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.testing.dataset_service import DatasetService, dataset_service
from kargah.testing.gateway_service import gateway_service, inference_service
from kargah.testing.registry_service import registry_service
from tests.fuzz.campaign import Target
from tests.fuzz.door import BROKEN, GATEWAY, PROJECT, door_targets
from tests.fuzz.hub_campaign import PART
from worker.testing.hub_server import Hub, serving
from worker.testing.tiny_models import tiny_llama

_ROWS = '{"question":"كتاب ها کجاست؟","answer":"روی ميز"}\n{"question":"کی؟","answer":"فردا"}\n'.encode()
_TABLE = "text,label\nخوب,مثبت\nبد,منفی\n".encode()
_CONFIG = json.dumps({"model_type": "llama", "architectures": ["LlamaForCausalLM"]}).encode()
_WEIGHTS = save({"w": np.ones(10, dtype=np.float32)})
_CONTEXT = 128
_SHA = hashlib.sha256(_CONFIG).hexdigest()
_SECRET = secrets.token_hex(32)
_SMALL = {
    "KARGAH_MAX_UPLOAD_BYTES": str(1 << 20),
    "KARGAH_MAX_UNPACKED_BYTES": str(1 << 20),
    "KARGAH_LOG_LEVEL": "ERROR",
    "KARGAH_AUTH": "on",
    "KARGAH_JWT_SECRET": _SECRET,
}


class Fuzzer(httpx.Auth):
    """Somebody who may do everything in one project, told by a token of the platform's own."""

    def __call__(self) -> str:
        """The header's value; tokens are good for minutes only."""
        who = Principal("user:fuzz", "fuzz", Role.ADMIN, PROJECT, platform=True)
        return f"Bearer {mint_service_token(_SECRET, who)}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Beside what a request says itself."""
        request.headers.setdefault("authorization", self())
        yield request


FUZZER = Fuzzer()


@contextmanager
def targets(postgres: EmbeddedPostgres, objects: EmbeddedObjectStore) -> Iterator[list[Target]]:
    """All services in processes of their own, on these servers; the registry is the second."""
    common = {**_SMALL, "KARGAH_S3_BUCKET": f"fuzz-{secrets.token_hex(6)}"}
    with ExitStack() as stack:
        datasets = stack.enter_context(dataset_service(postgres, objects, common))
        datasets.client.auth = FUZZER
        hub = stack.enter_context(serving(Hub({"config.json": _CONFIG, "model.safetensors": _WEIGHTS})))
        settings = {**common, "KARGAH_BLOB_BYTES": "3000000", "KARGAH_HUB_PART_BYTES": str(PART)}
        settings["KARGAH_UPSTREAM_URL"] = hub.url
        registry = stack.enter_context(registry_service(postgres, objects, settings))
        registry.client.auth = FUZZER
        behind = [_dataset_target(datasets), _registry_target(registry.client)]
        with tempfile.TemporaryDirectory(prefix="kargah-fuzz-") as folder:
            _put_model(registry.client, "tiny", tiny_llama(Path(folder, "tiny"), context=_CONTEXT))
            peers = {"KARGAH_DATASETS_URL": datasets.url, "KARGAH_REGISTRY_URL": registry.url}
            peers["KARGAH_DATA_DIR"] = folder
            inference = stack.enter_context(inference_service(objects, {**common, **peers}))
            peers["KARGAH_INFERENCE_URL"] = inference.url
            gateway = stack.enter_context(gateway_service(postgres, objects, {**common, **peers, **GATEWAY}))
            yield [*behind, *door_targets(gateway)]


def _dataset_target(service: DatasetService) -> Target:
    for name in ("d", "owner/table"):
        service.put(name, _ROWS).raise_for_status()
        service.put(name, _TABLE, "t.csv").raise_for_status()
    repairs: list[dict[str, object]] = [
        {"fixes": ["all"]},
        {"fixes": ["digits"], "version": 1, "dryRun": True},
        {"fixes": ["x"]},
    ]
    bodies: dict[str, list[Any]] = {"put_dataset_content": [_ROWS, _TABLE, _ROWS[:50], b""], "repair_dataset": repairs}
    begun = {"name": "in-parts", "filename": "x.jsonl", "sizeBytes": len(_ROWS)}
    upload = service.client.post("/api/datasets/uploads", json=begun).json()["id"]
    bodies["create_dataset_upload"] = [begun, begun | {"sizeBytes": 10**12}]
    known = {"name": ["d", "owner/table", "fresh"], "upload_id": [upload, "upload_none"]}
    return Target("datasets", service.url, known, bodies, FUZZER)


def _registry_target(registry: httpx.Client) -> Target:
    commit = _committed(registry, "m", {"config.json": _CONFIG, "model.safetensors": _WEIGHTS})
    for name, config in BROKEN.items():
        files = {"config.json": json.dumps(config).encode(), "model.safetensors": _WEIGHTS}
        _committed(registry, name, {**files, "tokenizer.json": b"{}", "tokenizer_config.json": b"{}"})
    bodies: dict[str, list[Any]] = {
        "put_blob": [_CONFIG, b"", b"x"],
        "commit_version": [commit, {"files": [], "source": "fuzz"}],
    }
    bodies["move_alias"] = [{"version": 1}, {"version": 9}]
    known = {"name": ["m", "owner/m"], "sha256": [_SHA, "0" * 64], "path": ["config.json"], "alias": ["candidate"]}
    known["repo"] = ["org/model", "org/none"]
    return Target("registry", str(registry.base_url).rstrip("/"), known, bodies, FUZZER)


def _put_model(registry: httpx.Client, name: str, folder: Path) -> None:
    """What lies in a folder, as a model."""
    _committed(registry, name, {path.name: path.read_bytes() for path in folder.iterdir()})


def _committed(registry: httpx.Client, name: str, files: Mapping[str, bytes]) -> dict[str, object]:
    """A model of these files; what was said to make it."""
    commit = {"files": [_stored(registry, path, data) for path, data in files.items()], "source": "fuzz"}
    registry.post(f"/api/models/{name}/versions", json=commit).raise_for_status()
    return commit


def _stored(registry: httpx.Client, path: str, data: bytes) -> dict[str, object]:
    sha256 = hashlib.sha256(data).hexdigest()
    registry.put(f"/api/blobs/{sha256}", content=data).raise_for_status()
    return {"path": path, "sizeBytes": len(data), "sha256": sha256}
