"""Large files: sent to the object store in parts, going on where an earlier try broke off."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

from kargah.clients.part_sender import PartSender
from kargah.clients.transport import ApiError, Transport
from kargah.contracts.datasets import DatasetVersionView
from kargah.contracts.problem import Problem
from kargah.contracts.uploads import PartUrls, UploadView

_UPLOADS = "/api/datasets/uploads"
_POLL_SECONDS = 0.3
_HASH_CHUNK = 4 << 20

Stage = Literal["sending", "checking"]
Progress = Callable[[Stage, int, int], None]
"""Told the stage, and how many bytes of how many it has done; from several threads, one at a time."""


class UploadInParts:
    """One file for one dataset. What was sent stays sent: `send()` again, in another process even, goes on there."""

    def __init__(
        self, transport: Transport, path: Path, wanted: dict[str, Any], on_progress: Progress | None = None
    ) -> None:
        """`wanted`: name, and perhaps format and map, as the API takes them."""
        found = path.stat()
        self._transport = transport
        self._path = path
        self._size = found.st_size
        told = {"filename": path.name, "sizeBytes": found.st_size, "modified": f"{found.st_mtime_ns} ns"}
        self._wanted = wanted | told
        self._on_progress = on_progress or (lambda stage, done, total: None)
        self._lock = threading.Lock()
        self._done = 0
        self._abandoned = threading.Event()

    def send(self) -> DatasetVersionView:
        """The version that holds the file's rows. Raises StoreUnreachable before anything is sent, ApiError with what
        is wrong with the file, and Unreachable when the platform stays away."""
        view = self._begin()
        if view.state == "open":
            view = self._ask("POST", f"{_UPLOADS}/{view.id}/complete", json={"sha256": self._send_parts(view)})
        while view.state == "checking":
            self._on_progress("checking", view.checked_bytes, view.size_bytes)
            time.sleep(_POLL_SECONDS)
            view = self._ask("GET", f"{_UPLOADS}/{view.id}")
        if view.version is None:
            raise ApiError(view.problem or _vanished(view))
        self._on_progress("checking", view.size_bytes, view.size_bytes)
        return view.version

    def give_up(self) -> None:
        """Have the server remove what it has of this file."""
        self._transport.send("DELETE", f"{_UPLOADS}/{self._begin().id}")

    def _begin(self) -> UploadView:
        return self._ask("POST", _UPLOADS, json=self._wanted)

    def _send_parts(self, view: UploadView) -> str:
        """The sha256 of the file, taken while its parts are sent."""
        self._sent(sum(min(view.part_bytes, self._size - (part - 1) * view.part_bytes) for part in view.parts))

        def page(after: int, limit: int) -> PartUrls:
            path, query = f"{_UPLOADS}/{view.id}/parts", {"after": after, "limit": limit}
            return self._transport.patiently(lambda: self._transport.ask(PartUrls, "GET", path, params=query))

        with self._path.open("rb") as file, ThreadPoolExecutor(1, "sha256") as hasher:
            digest = hasher.submit(self._sha256)
            try:
                PartSender(file.fileno(), page, self._sent).send()
            except BaseException:
                self._abandoned.set()
                raise
            return digest.result()

    def _sent(self, count: int) -> None:
        with self._lock:
            self._done += count
            self._on_progress("sending", self._done, self._size)

    def _sha256(self) -> str:
        digest = hashlib.sha256()
        with self._path.open("rb", buffering=0) as file:
            while not self._abandoned.is_set() and (data := file.read(_HASH_CHUNK)):
                digest.update(data)
        return digest.hexdigest()

    def _ask(self, method: str, path: str, **options: Any) -> UploadView:
        return self._transport.patiently(lambda: self._transport.ask(UploadView, method, path, **options))


def _vanished(view: UploadView) -> Problem:
    detail = f"the upload {view.id} of {view.filename} became a version that was deleted meanwhile"
    return Problem(title="Not Found", status=404, code="not_found", detail=detail, hint="upload it again")
