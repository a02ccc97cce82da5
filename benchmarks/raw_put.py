"""The peer of everything that is sent: one plain PUT to the same store."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import httpx

from kargah.adapters.minio_store import MinioStore
from kargah.embedded.object_store import EmbeddedObjectStore


def raw_put(path: Path, server: EmbeddedObjectStore, store: MinioStore) -> float:
    """Seconds of one PUT of the whole file into the store's bucket, in the chunks that the SDK uses."""
    url = server.client().get_presigned_url("PUT", store.bucket, "raw", expires=timedelta(hours=1))
    began = time.perf_counter()
    with path.open("rb", buffering=0) as file, httpx.Client(timeout=600, trust_env=False) as client:
        headers = {"Content-Length": str(path.stat().st_size)}
        client.put(url, content=iter(lambda: file.read(256 << 10), b""), headers=headers).raise_for_status()
    seconds = time.perf_counter() - began
    store.delete("raw")
    return seconds
