"""`client.models`: install from a folder, list, inspect, name, tag."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kargah.clients.transport import Transport, given, or_none, place
from kargah.contracts.base import Page
from kargah.contracts.models import (
    AliasView,
    LineageView,
    ModelFile,
    ModelLocation,
    ModelVersionCreate,
    ModelVersionView,
    ModelView,
)
from kargah.domain.names import split_version

_UPLOAD_TIMEOUT = 3600.0
_IGNORED = {".git", ".cache", "__pycache__", ".gitattributes"}


class Models:
    """Models and their immutable versions. Every call may raise ApiError or Unreachable."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def install_folder(
        self, folder: Path, name: str, *, progress: Callable[[int, int], None] | None = None
    ) -> ModelVersionView:
        """Upload a Hugging Face model folder (safetensors) as a new version of `name`.

        Bytes that the registry already holds are not sent again. `progress(done, total)` counts bytes.
        """
        paths = sorted(path for path in folder.rglob("*") if path.is_file() and not _IGNORED & set(path.parts))
        if not paths:
            raise FileNotFoundError(f"{folder} holds no files: give the folder with config.json and *.safetensors")
        total, done = sum(path.stat().st_size for path in paths), 0
        files = []
        for path in paths:
            file = _describe(path, folder)
            self._send_blob(path, file)
            files.append(file)
            done += file.size_bytes
            if progress is not None:
                progress(done, total)
        return self.add_version(name, ModelVersionCreate(files=files, source=f"folder:{folder.name}"))

    def locate(self, name: str) -> ModelLocation:
        """A version (the latest, or `name@3`) with its base, and the base's, if it is an adapter."""
        path, query = _address(name, "/location")
        return self._transport.ask(ModelLocation, "GET", path, params=query)

    def add_version(self, name: str, create: ModelVersionCreate) -> ModelVersionView:
        """Make a version of blobs that are there; the first one's when the idempotency key was used before."""
        body = create.model_dump(mode="json", by_alias=True)
        return self._transport.ask(ModelVersionView, "POST", f"/api/models/{place(name)}/versions", json=body)

    def put_blob(self, sha256: str, size_bytes: int, chunks: Iterator[bytes]) -> None:
        """Store a file under its sha256, which the platform verifies. It is not read at all if it is there already."""
        if or_none(lambda: self._transport.send("HEAD", f"/api/blobs/{sha256}")) is not None:
            return
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size_bytes)}
        url = f"/api/blobs/{sha256}"
        self._transport.send("PUT", url, content=chunks, headers=headers, timeout=_UPLOAD_TIMEOUT)

    @contextmanager
    def stream_file(self, version: ModelVersionView, file: ModelFile) -> Iterator[Iterator[bytes]]:
        """The content of a file of a version, a megabyte at a time; not verified yet."""
        with self._transport.stream("GET", _file_address(version, file.path)) as response:
            yield response.iter_bytes(1 << 20)

    def list(self, *, limit: int = 50, cursor: str | None = None) -> Page[ModelView]:
        query = given({"limit": limit, "cursor": cursor})
        return self._transport.ask(Page[ModelView], "GET", "/api/models", params=query)

    def get(self, name: str) -> ModelView:
        """The model with its latest version, or with the one that `name@3` or `name@production` means."""
        path, query = _address(name)
        return self._transport.ask(ModelView, "GET", path, params=query)

    def versions(self, name: str, *, limit: int = 50, cursor: str | None = None) -> Page[ModelVersionView]:
        """The versions of a model, newest first."""
        query = given({"limit": limit, "cursor": cursor})
        return self._transport.ask(Page[ModelVersionView], "GET", f"/api/models/{place(name)}/versions", params=query)

    def download(self, name: str, folder: Path) -> tuple[Path, ...]:
        """Write every file of a version (the latest, or `name@3`) below `folder`, checked against its sha256."""
        version = self.get(name).latest
        return tuple(self._download_file(version, file, folder) for file in version.files)

    def read_text(self, version: ModelVersionView, path: str) -> str | None:
        """A text file of a version, such as its card `README.md`; None if it has none."""
        if all(file.path != path for file in version.files):
            return None
        return self._transport.send("GET", _file_address(version, path)).text

    def delete(self, name: str) -> None:
        """Delete a model, or one version of it (`name@3`)."""
        path, query = _address(name)
        self._transport.send("DELETE", path, params=query)

    def aliases(self, name: str) -> Page[AliasView]:
        """The aliases of a model's versions, by name."""
        return self._transport.ask(Page[AliasView], "GET", f"/api/models/{place(name)}/aliases")

    def set_alias(self, name: str, alias: str, version: int, *, expected: int | None = None) -> AliasView:
        """Point `name@alias` to a version, at once for everybody. With `expected`, ApiError (409) unless it points
        there now (0: unless it does not exist)."""
        body = given({"version": version, "expected": expected})
        return self._transport.ask(AliasView, "PUT", f"/api/models/{place(name)}/aliases/{place(alias)}", json=body)

    def delete_alias(self, name: str, alias: str) -> None:
        self._transport.send("DELETE", f"/api/models/{place(name)}/aliases/{place(alias)}")

    def tag(self, name: str, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> ModelVersionView:
        """Put tags on a version (the latest, or `name@3`), and take others off."""
        path, query = _address(name, "/tags")
        body = {"add": [*add], "remove": [*remove]}
        return self._transport.ask(ModelVersionView, "PATCH", path, params=query, json=body)

    def lineage(self, name: str) -> LineageView:
        """Where a version (the latest, or `name@3`) comes from, and what was made of it."""
        path, query = _address(name, "/lineage")
        return self._transport.ask(LineageView, "GET", path, params=query)

    def _send_blob(self, path: Path, file: ModelFile) -> None:
        with path.open("rb") as stream:
            self.put_blob(file.sha256, file.size_bytes, iter(lambda: stream.read(1 << 20), b""))

    def _download_file(self, version: ModelVersionView, file: ModelFile, folder: Path) -> Path:
        """Under its name only once it is whole."""
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.part")
        try:
            if self._fetch(version, file, draft) != file.sha256:
                raise OSError(f"{file.path} of {version.model} arrived damaged: sha256 differs; try again")
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        return target

    def _fetch(self, version: ModelVersionView, file: ModelFile, path: Path) -> str:
        """Write a file of a version to `path`; the sha256 of what came."""
        digest = hashlib.sha256()
        with self.stream_file(version, file) as chunks, path.open("wb") as stream:
            for chunk in chunks:
                digest.update(chunk)
                stream.write(chunk)
        return digest.hexdigest()


def _address(name: str, below: str = "") -> tuple[str, dict[str, Any]]:
    """`name@production` as a path and a query."""
    name, version = split_version(name)
    return f"/api/models/{place(name)}{below}", given({"version": version})


def _file_address(version: ModelVersionView, path: str) -> str:
    return f"/api/models/{place(version.model)}/files/{place(path)}?version={version.version}"


def _describe(path: Path, folder: Path) -> ModelFile:
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return ModelFile(path=path.relative_to(folder).as_posix(), size_bytes=path.stat().st_size, sha256=sha256)
