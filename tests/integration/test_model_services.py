"""Registry and inference as the processes they are: a model goes in through one and speaks through the other."""

from __future__ import annotations

import hashlib
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from kargah.embedded.config import inherited_environment
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.ports import free_port
from kargah.embedded.process import Command, ManagedProcess
from kargah.embedded.readiness import is_ready
from kargah.testing.fixtures import DatabaseUrlFor
from kargah.testing.waiting import wait_until
from worker.testing.tiny_models import tiny_llama

CONTEXT = 512
ASK: list[Any] = [{"role": "user", "content": "سلام! چطوری؟"}]


@dataclass
class Running:
    """Two processes; `registry` and `inference` are their addresses."""

    registry: str
    inference: str
    processes: dict[str, ManagedProcess]

    def commit(self, name: str, folder: Path) -> dict[str, Any]:
        entries = []
        for path in sorted(folder.iterdir()):
            data = path.read_bytes()
            sha256 = hashlib.sha256(data).hexdigest()
            httpx.put(f"{self.registry}/api/blobs/{sha256}", content=data).raise_for_status()
            entries.append({"path": path.name, "sizeBytes": len(data), "sha256": sha256})
        url = f"{self.registry}/api/models/{name}/versions"
        version: dict[str, Any] = httpx.post(url, json={"files": entries, "source": "test"}).raise_for_status().json()
        return version

    def metric(self, name: str, label: str) -> float:
        for line in httpx.get(f"{self.inference}/metrics").text.splitlines():
            if line.startswith(f"kargah_inference_{name}_total{{{label}}}"):
                return float(line.split()[-1])
        return 0.0

    def abandoned(self) -> float:
        return self.metric("answers", 'outcome="abandoned"')

    def prompt_tokens(self) -> float:
        return self.metric("tokens", 'kind="prompt"')


@pytest.fixture
def running(
    database_url_for: DatabaseUrlFor, object_store_server: EmbeddedObjectStore, tmp_path: Path
) -> Iterator[Running]:
    store = {
        "KARGAH_S3_ENDPOINT": object_store_server.url,
        "KARGAH_S3_ACCESS_KEY": object_store_server.access_key,
        "KARGAH_S3_SECRET_KEY": object_store_server.secret_key,
        "KARGAH_S3_BUCKET": f"test-{free_port()}",
    }
    urls = {name: f"http://127.0.0.1:{free_port()}" for name in ("registry", "inference")}
    settings = {
        "registry": {"KARGAH_DATABASE_URL": database_url_for("registry")},
        "inference": {
            "KARGAH_REGISTRY_URL": urls["registry"],
            "KARGAH_DATASETS_URL": "http://127.0.0.1:1",
            "KARGAH_DATA_DIR": str(tmp_path / "inference"),
        },
    }
    modules = {"registry": "registry.main", "inference": "worker.inference.main"}
    with ExitStack() as stack:
        processes = {}
        for name, url in urls.items():
            port = int(url.rpartition(":")[2])
            command = Command(
                name=name,
                arguments=[sys.executable, "-m", modules[name]],
                log_file=tmp_path / f"{name}.log",
                cwd=tmp_path,
                env=inherited_environment() | store | {"KARGAH_PORT": str(port)} | settings[name],
            )
            processes[name] = stack.enter_context(ManagedProcess(command))
            processes[name].wait_ready(partial(is_ready, port), 60)
        yield Running(urls["registry"], urls["inference"], processes)


def test_a_model_goes_in_and_speaks(running: Running, tmp_path: Path) -> None:
    version = running.commit("owner/tiny", tiny_llama(tmp_path / "tiny", context=CONTEXT, initializer_range=0.4))
    assert version["facts"]["kind"] == "causal_lm" and version["facts"]["hasChatTemplate"]
    with openai.OpenAI(base_url=f"{running.inference}/v1", api_key="-", max_retries=0) as client:
        options: dict[str, Any] = {"model": "owner/tiny", "messages": ASK, "temperature": 0, "max_tokens": 20}
        whole = client.chat.completions.create(**options).choices[0].message.content
        chunks = client.chat.completions.create(**options, stream=True)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole
        assert [model.id for model in client.models.list()] == ["owner/tiny"]
    _leave_in_the_middle(running, stream=True)
    _leave_in_the_middle(running, stream=False)
    for process in running.processes.values():
        process.stop()
        assert "Traceback" not in process.log_tail()


def _leave_in_the_middle(running: Running, *, stream: bool) -> None:
    """The model stops for a client that has gone, also for one that waits for the whole answer."""
    abandoned, read = running.abandoned(), running.prompt_tokens()
    body = {"model": "owner/tiny", "messages": ASK, "temperature": 2, "max_tokens": CONTEXT, "stream": stream}
    request = httpx.Request("POST", f"{running.inference}/v1/chat/completions", json={**body, "seed": 1})
    head = "\r\n".join(f"{name}: {value}" for name, value in request.headers.items())
    with socket.create_connection(("127.0.0.1", request.url.port or 0)) as connection:
        connection.sendall(f"POST {request.url.path} HTTP/1.1\r\n{head}\r\n\r\n".encode() + request.read())
        wait_until(lambda: running.prompt_tokens() > read, timeout=20)
    wait_until(lambda: running.abandoned() == abandoned + 1, timeout=20)


def test_a_blob_that_breaks_off_is_not_kept(running: Running) -> None:
    data = b"x" * 1_000_000
    path = f"/api/blobs/{hashlib.sha256(data).hexdigest()}"
    port = int(running.registry.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n".encode())
        connection.sendall(data[:700_000])
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(12) == b"HTTP/1.1 400"
    assert httpx.head(f"{running.registry}{path}").status_code == 404
    assert httpx.put(f"{running.registry}{path}", content=data).status_code == 201
