"""A registry of a few folders, and a dataset service of a few files: all in a store, their locations over HTTP."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from kargah.contracts.base import Page
from kargah.contracts.datasets import DatasetLocation, DatasetStats, DatasetVersionView
from kargah.contracts.models import ModelFacts, ModelFile, ModelLocation, ModelVersionView, ModelView
from kargah.ports.object_store import ObjectStore
from kargah.testing.serving import running


class Shelf:
    """Holds models by name and version; `url` answers as the registry does."""

    def __init__(self, store: ObjectStore) -> None:
        self.url = ""
        self.asked: list[str] = []
        self._store = store
        self._locations: dict[str, list[ModelLocation]] = {}
        self._datasets: dict[str, DatasetLocation] = {}

    def put(self, name: str, folder: Path, base: ModelLocation | None = None, kind: str = "causal_lm") -> ModelLocation:
        """Add the next version of `name`."""
        files = [self._file(path, folder) for path in sorted(folder.rglob("*")) if path.is_file()]
        number = len(self._locations.get(name, [])) + 1
        version = ModelVersionView(
            id=f"mv_{name.replace('/', '_')}_{number}",
            model=name,
            version=number,
            files=files,
            facts=ModelFacts(kind=kind, architectures=[] if kind == "encoder" else ["LlamaForCausalLM"]),
            size_bytes=sum(file.size_bytes for file in files),
            source="test",
            created_at=datetime(2026, 1, number, tzinfo=UTC),
        )
        location = ModelLocation(version=version, bucket=self._store.bucket, prefix="blobs/", base=base)
        self._locations.setdefault(name, []).append(location)
        return location

    def put_rows(self, name: str, path: Path, format: str) -> DatasetLocation:
        """Add a dataset of one version."""
        data = path.read_bytes()
        sha256 = hashlib.sha256(data).hexdigest()
        key = f"datasets/{sha256}"
        self._store.put(key, data)
        version = DatasetVersionView(
            id=f"dsv_{name}",
            dataset=name,
            version=1,
            format=format,
            sha256=sha256,
            source_filename=path.name,
            source_sha256=sha256,
            stats=DatasetStats(rows=data.count(b"\n"), size_bytes=len(data), fields=[]),
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        location = DatasetLocation(version=version, bucket=self._store.bucket, key=key, size_bytes=len(data))
        self._datasets[name] = location
        return location

    def answer(self, target: str) -> tuple[int, bytes]:
        """The status and the body of a GET."""
        url = urlsplit(target)
        path = unquote(url.path)
        self.asked.append(path)
        if path == "/api/models":
            return 200, self._page().model_dump_json(by_alias=True).encode()
        if path.startswith("/api/datasets/"):
            return self._dataset(path.removeprefix("/api/datasets/").removesuffix("/location"), url.query)
        versions = self._locations.get(path.removeprefix("/api/models/").removesuffix("/location"), [])
        wanted = url.query.removeprefix("version=") or str(len(versions))
        wanted = {"production": "1"}.get(wanted, wanted)
        number = int(wanted) if wanted.isdigit() else 0
        if not 1 <= number <= len(versions):
            return 404, json.dumps({"status": 404}).encode()
        return 200, versions[number - 1].model_dump_json(by_alias=True).encode()

    def _dataset(self, name: str, query: str) -> tuple[int, bytes]:
        if name not in self._datasets or query not in ("", "version=1"):
            return 404, json.dumps({"status": 404}).encode()
        return 200, self._datasets[name].model_dump_json(by_alias=True).encode()

    def _page(self) -> Page[ModelView]:
        views = [
            ModelView(
                id=f"model_{name}", name=name, created_at=versions[0].version.created_at, latest=versions[-1].version
            )
            for name, versions in self._locations.items()
        ]
        return Page[ModelView](items=views, total=len(views))

    def _file(self, path: Path, folder: Path) -> ModelFile:
        data = path.read_bytes()
        sha256 = hashlib.sha256(data).hexdigest()
        self._store.put(f"blobs/{sha256}", data)
        return ModelFile(path=path.relative_to(folder).as_posix(), size_bytes=len(data), sha256=sha256)


@contextmanager
def serving(shelf: Shelf) -> Iterator[Shelf]:
    """Serve `shelf` on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = shelf.answer(self.path)
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return None

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as shelf.url:
        yield shelf
