"""A checkpoint's files into a folder that appears whole or not at all; what broke off goes on where it ended."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import httpx

from kargah.clients.transport import Transport, place
from kargah.contracts.checkpoints import CheckpointFile, CheckpointFiles
from kargah.domain.file_paths import problem_with_path

_CHUNK = 1 << 20


class CheckpointDownload:
    """Of one checkpoint. What has come lies in a hidden folder beside `folder`, whose name says of which checkpoint it
    is. `on_bytes` hears how many bytes more are there, and a negative number of those that were no good."""

    def __init__(
        self, transport: Transport, found: CheckpointFiles, folder: Path, on_bytes: Callable[[int], object]
    ) -> None:
        self._transport = transport
        self._found = found
        self._folder = folder
        self._draft = folder.with_name(f".{folder.name}-{found.checkpoint.id}.part")
        self._on_bytes = on_bytes

    def run(self) -> tuple[Path, ...]:
        """The files in the folder. Raises ApiError, Unreachable, and OSError: also where the folder holds something
        already, or where a file arrived damaged."""
        if self._folder.exists() and (not self._folder.is_dir() or any(self._folder.iterdir())):
            raise FileExistsError(f"{self._folder} is there already: name another folder, or remove it")
        self._draft.mkdir(parents=True, exist_ok=True)
        for file in self._found.files:
            self._fetch(file)
        self._draft.replace(self._folder)
        return tuple(self._folder / file.path for file in self._found.files)

    def _fetch(self, file: CheckpointFile) -> None:
        """Tried again while the platform is away, each time from where it broke off."""
        if (problem := problem_with_path(file.path)) is not None:
            raise OSError(f"the platform names a file {file.path!r}, which {problem}")
        path = self._draft / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as target:
            rest = _Rest(target, file, self._on_bytes)
            self._transport.patiently(lambda: self._receive(file, rest))
            if not rest.is_whole:
                rest.clear()
                raise OSError(f"{file.path} of step {self._found.checkpoint.step} arrived damaged; try again")

    def _receive(self, file: CheckpointFile, rest: _Rest) -> None:
        if rest.count >= file.size_bytes:
            return
        checkpoint = self._found.checkpoint
        address = f"/api/jobs/{checkpoint.job_id}/checkpoints/{checkpoint.id}/files/{place(file.path)}"
        headers = {"Range": f"bytes={rest.count}-", "If-Range": f'"{file.sha256}"', "Accept-Encoding": "identity"}
        with self._transport.stream("GET", address, headers=headers) as answer:
            if answer.status_code != httpx.codes.PARTIAL_CONTENT:
                rest.clear()
            for chunk in answer.iter_bytes(_CHUNK):
                rest.add(chunk)


class _Rest:
    """A file that is being filled: what is there of it, and the hash of that."""

    def __init__(self, target: BinaryIO, file: CheckpointFile, on_bytes: Callable[[int], object]) -> None:
        self._target = target
        self._file = file
        self._on_bytes = on_bytes
        self._digest = hashlib.sha256()
        self.count = 0
        self._target.seek(0)
        while chunk := self._target.read(_CHUNK):
            self._note(chunk)
        if self.count >= file.size_bytes and not self.is_whole:
            self.clear()

    @property
    def is_whole(self) -> bool:
        """Whether it is the file."""
        return self.count == self._file.size_bytes and self._digest.hexdigest() == self._file.sha256

    def add(self, chunk: bytes) -> None:
        """At the end."""
        self._target.write(chunk)
        self._target.flush()  # what is counted is there: a full disk is told here, and the next try goes on from it
        self._note(chunk)

    def clear(self) -> None:
        """From the beginning again."""
        self._on_bytes(-self.count)
        self._target.truncate(0)
        self._digest, self.count = hashlib.sha256(), 0

    def _note(self, chunk: bytes) -> None:
        self._digest.update(chunk)
        self.count += len(chunk)
        self._on_bytes(len(chunk))
