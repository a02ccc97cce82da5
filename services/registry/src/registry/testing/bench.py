"""A registry on a given database and bucket, and shorthand for what tests do with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from safetensors.numpy import save

from kargah.db.engine import Engine, create_engine
from kargah.ports.object_store import MultipartStore
from registry.app import Registry, build
from registry.config import RegistrySettings

_LLAMA = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "max_position_embeddings": 64}
_ADAPTER = b'{"peft_type": "LORA"}'


def model_files(seed: int = 0, card: str = "# مدل") -> dict[str, bytes]:
    """The smallest folder that passes for a language model; another `seed`, other weights."""
    weights = save({"w": np.arange(seed, seed + 1000, dtype=np.float32)})
    return {"config.json": json.dumps(_LLAMA).encode(), "model.safetensors": weights, "README.md": card.encode()}


def adapter_files(seed: int = 1) -> dict[str, bytes]:
    """The smallest folder that passes for an adapter."""
    return {"adapter_config.json": _ADAPTER, "adapter_model.safetensors": save({"a": np.full(7, seed, np.float32)})}


def sha256(data: bytes) -> str:
    """In hex."""
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True, slots=True)
class RegistryBench:
    """`http` is a Flask test client."""

    http: Any
    engine: Engine
    store: MultipartStore
    registry: Registry

    def put(self, data: bytes) -> None:
        """Send a blob."""
        answer = self.http.put(f"/api/blobs/{sha256(data)}", data=data)
        assert answer.status_code in (200, 201), answer.json

    def post_version(self, name: str, files: Mapping[str, bytes], *, send: bool = True, **extra: Any) -> Any:
        """Send the blobs and commit the version; the answer."""
        for data in files.values() if send else ():
            self.put(data)
        entries = [{"path": path, "sizeBytes": len(data), "sha256": sha256(data)} for path, data in files.items()]
        return self.http.post(f"/api/models/{name}/versions", json={"files": entries, "source": "test", **extra})

    def version(self, name: str, files: Mapping[str, bytes] | None = None, **extra: Any) -> dict[str, Any]:
        """The version that a commit made."""
        answer = self.post_version(name, model_files() if files is None else files, **extra)
        assert answer.status_code == 201, answer.json
        made: dict[str, Any] = answer.json
        return made

    def blobs(self) -> set[str]:
        """The sha256 of every blob in the store."""
        return {found.key.removeprefix("blobs/") for found in self.store.list("blobs/")}


@contextmanager
def registry_bench(database_url: str, store: MultipartStore, **settings: Any) -> Iterator[RegistryBench]:
    """The database has its tables and the bucket exists. `settings` as of RegistrySettings."""
    given = RegistrySettings(
        database_url=database_url, s3_endpoint="http://unused", s3_access_key="-", s3_secret_key="-", **settings
    )
    engine = create_engine(database_url)
    built = build(given, engine, store)
    try:
        yield RegistryBench(built.app.test_client(), engine, store, built)
    finally:
        built.close()
        engine.dispose()
