"""A test peer over real HTTP: as much of the registry and the dataset service as an agent uses."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from kargah.contracts.datasets import DatasetLocation, DatasetStats, DatasetVersionView
from kargah.contracts.jobs import DatasetRef, ModelRef
from kargah.contracts.models import ModelFacts, ModelFile, ModelLocation, ModelVersionCreate, ModelVersionView
from kargah.contracts.problem import Problem, ProblemField
from kargah.ports.object_store import ObjectMissing, ObjectStore
from kargah.testing.serving import running

Answer = tuple[int, bytes]
_PREFIX = "blobs/"


def _problem(status: int, detail: str, field: str | None = None, told: str | None = None) -> Answer:
    errors = [ProblemField(field=field, message=told or detail, line=3 if told else None)] if field else []
    problem = Problem(title="A problem", status=status, code="invalid", detail=detail, errors=errors)
    return status, problem.model_dump_json(by_alias=True).encode()


_NOT_FOUND = _problem(404, "no such thing")


class PeerTwin:
    """The state behind the server. `failures`: how many of the next requests are answered with 503.
    `refusal`: what is wrong with the third row of every dataset that is sent."""

    def __init__(self, store: ObjectStore) -> None:
        self.store = store
        self.failures = 0
        self.refusal: str | None = None
        self.locations: dict[str, bytes] = {}
        self.committed: list[ModelVersionView] = []
        self.imported: list[DatasetVersionView] = []
        self._by_key: dict[str | None, ModelVersionView] = {}
        self._lock = threading.Lock()

    def add_model(self, name: str, files: dict[str, bytes], base: str | None = None) -> ModelRef:
        """Put a model's files into the store, for agents to fetch; `base` is the model that an adapter belongs to."""
        listed = [ModelFile(path=path, size_bytes=len(data), sha256=self._blob(data)) for path, data in files.items()]
        version = _version(name, ModelVersionCreate(files=listed, source="test"), 1)
        under = self.locations[f"/api/models/{base}/location?version=1"] if base is not None else None
        location = ModelLocation(
            version=version,
            bucket=self.store.bucket,
            prefix=_PREFIX,
            base=ModelLocation.model_validate_json(under) if under is not None else None,
        )
        self.locations[f"/api/models/{name}/location?version=1"] = location.model_dump_json(by_alias=True).encode()
        return ModelRef(name=name, version=1, version_id=version.id)

    def add_dataset(self, name: str, rows: list[dict[str, Any]], format: str = "messages") -> DatasetRef:
        """Put a dataset's canonical rows into the store, for agents to fetch."""
        data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
        digest = self._blob(data)
        version = _dataset_version(name, format, data, digest)
        location = DatasetLocation(
            version=version, bucket=self.store.bucket, key=_PREFIX + digest, size_bytes=len(data)
        )
        self.locations[f"/api/datasets/{name}/location?version=1"] = location.model_dump_json(by_alias=True).encode()
        return DatasetRef(name=name, version=1, version_id=version.id)

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Status and body."""
        with self._lock:
            if self.failures > 0:
                self.failures -= 1
                return 503, b"{}"
            if method == "GET":
                found = self.locations.get(path)
                return (200, found) if found else _NOT_FOUND
            if path.startswith("/api/blobs/"):
                return self._answer_blob(method, path.removeprefix("/api/blobs/"), body)
            if method == "PUT" and path.startswith("/api/datasets/"):
                return self._put_rows(path.removeprefix("/api/datasets/").partition("/content")[0], body)
            if method == "POST" and path.endswith("/versions"):
                return self._commit(path.removeprefix("/api/models/").removesuffix("/versions"), body)
            return _NOT_FOUND

    def _answer_blob(self, method: str, sha256: str, body: bytes) -> Answer:
        if method == "PUT":
            if hashlib.sha256(body).hexdigest() != sha256:
                return _problem(422, "other bytes than announced")
            self.store.put(_PREFIX + sha256, body)
            return 201, b"{}"
        return (200, b"") if self._has(sha256) else (404, b"")

    def _commit(self, name: str, body: bytes) -> Answer:
        new = ModelVersionCreate.model_validate_json(body)
        absent = [file.path for file in new.files if not self._has(file.sha256)]
        if absent:
            return _problem(422, "no such blob", f"files.{absent[0]}")
        if new.idempotency_key not in self._by_key:
            self._by_key[new.idempotency_key] = _version(name, new, len(self.committed) + 1)
            self.committed.append(self._by_key[new.idempotency_key])
        return 201, self._by_key[new.idempotency_key].model_dump_json(by_alias=True).encode()

    def _put_rows(self, name: str, body: bytes) -> Answer:
        """As the dataset service: equal rows are one version."""
        if self.refusal is not None:
            return _problem(422, "1 row is not acceptable.", "answer", self.refusal)
        digest = hashlib.sha256(body).hexdigest()
        known = [one for one in self.imported if (one.dataset, one.sha256) == (name, digest)]
        if not known:
            known = [_dataset_version(name, "question_answer", body, digest)]
            self.imported += known
        return 201, known[0].model_dump_json(by_alias=True).encode()

    def _has(self, sha256: str) -> bool:
        try:
            self.store.stat(_PREFIX + sha256)
        except ObjectMissing:
            return False
        return True

    def _blob(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        self.store.put(_PREFIX + digest, data)
        return digest


@contextmanager
def peer_server(store: ObjectStore) -> Iterator[tuple[PeerTwin, str]]:
    """The twin and the URL that it serves on, a free port of loopback."""
    twin = PeerTwin(store)
    with running(ThreadingHTTPServer(("127.0.0.1", 0), _handler(twin))) as url:
        yield twin, url


def _handler(twin: PeerTwin) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            status, answer = twin.answer(self.command, self.path, body)
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer)

        do_GET = do_HEAD = do_PUT = do_POST = _serve

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    return Handler


def _dataset_version(name: str, format: str, data: bytes, digest: str) -> DatasetVersionView:
    return DatasetVersionView(
        id=f"dsv_{name}",
        dataset=name,
        version=1,
        format=format,
        sha256=digest,
        source_filename="rows.jsonl",
        source_sha256=digest,
        stats=DatasetStats(rows=data.count(b"\n"), size_bytes=len(data), fields=[]),
        created_at=datetime.now(UTC),
    )


def _version(name: str, new: ModelVersionCreate, number: int) -> ModelVersionView:
    return ModelVersionView(
        id=f"mdv_{name}_{number}",
        model=name,
        version=number,
        files=new.files,
        facts=ModelFacts(kind="other"),
        size_bytes=sum(file.size_bytes for file in new.files),
        source=new.source,
        lineage=new.lineage,
        created_at=datetime.now(UTC),
    )
