"""`client.models`: install from a folder, list, inspect."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from kargah.clients.transport import ApiError, Transport, place
from kargah.contracts.base import Page
from kargah.contracts.models import (
    ModelFile,
    ModelVersionCreate,
    ModelVersionView,
    ModelView,
)

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
        create = ModelVersionCreate(files=files, source=f"folder:{folder.name}")
        return self._transport.ask(
            ModelVersionView, "POST", f"/api/models/{place(name)}/versions", json=create.model_dump(by_alias=True)
        )

    def list(self, *, limit: int = 50, cursor: str | None = None) -> Page[ModelView]:
        query = {"limit": str(limit)} | ({"cursor": cursor} if cursor else {})
        return self._transport.ask(Page[ModelView], "GET", "/api/models", params=query)

    def get(self, name: str) -> ModelView:
        return self._transport.ask(ModelView, "GET", f"/api/models/{place(name)}")

    def download(self, name: str, folder: Path) -> tuple[Path, ...]:
        """Write every file of the latest version below `folder`, checked against its sha256."""
        return tuple(self._download_file(name, file, folder) for file in self.get(name).latest.files)

    def delete(self, name: str) -> None:
        self._transport.send("DELETE", f"/api/models/{place(name)}")

    def _send_blob(self, path: Path, file: ModelFile) -> None:
        if self._has_blob(file.sha256):
            return
        with path.open("rb") as stream:
            self._transport.send(
                "PUT",
                f"/api/blobs/{file.sha256}",
                content=iter(lambda: stream.read(1 << 20), b""),
                headers={"Content-Type": "application/octet-stream", "Content-Length": str(file.size_bytes)},
                timeout=_UPLOAD_TIMEOUT,
            )

    def _has_blob(self, sha256: str) -> bool:
        try:
            self._transport.send("HEAD", f"/api/blobs/{sha256}")
        except ApiError as error:
            if error.problem.status == 404:
                return False
            raise
        return True

    def _download_file(self, name: str, file: ModelFile, folder: Path) -> Path:
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        with (
            self._transport.stream("GET", f"/api/models/{place(name)}/files/{place(file.path)}") as response,
            target.open("wb") as stream,
        ):
            for chunk in response.iter_bytes(1 << 20):
                digest.update(chunk)
                stream.write(chunk)
        if digest.hexdigest() != file.sha256:
            target.unlink()
            raise OSError(f"{file.path} of {name} arrived damaged: sha256 differs; try again")
        return target


def _describe(path: Path, folder: Path) -> ModelFile:
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return ModelFile(path=path.relative_to(folder).as_posix(), size_bytes=path.stat().st_size, sha256=sha256)
