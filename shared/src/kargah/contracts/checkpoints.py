"""A stored checkpoint: its manifest in the object store, and what clients are told of its files."""

from __future__ import annotations

from typing import Self

from pydantic import ValidationError, model_validator

from kargah.contracts.base import Timestamp, Wire
from kargah.contracts.jobs import CheckpointView
from kargah.contracts.runs import FileEntry, Message
from kargah.domain.file_paths import problem_with_path

MANIFEST = "manifest.json"


class Manifest(Message):
    """What belongs to the checkpoint, and which one it is, so that a swapped one is noticed. It is written last."""

    job_id: str
    step: int
    generation: int
    epoch: float
    files: list[FileEntry]

    @model_validator(mode="after")
    def _check_paths(self) -> Self:
        for file in self.files:
            if (problem := problem_with_path(file.path)) is not None:
                raise ValueError(f"file path {file.path!r} {problem}")
        return self


def read_manifest(data: bytes) -> Manifest:
    """Raises ValueError with a short reason."""
    try:
        return Manifest.model_validate_json(data)
    except ValidationError as error:
        raise ValueError(f"unreadable: {error.errors(include_url=False)[0]['msg']}") from error


class CheckpointFile(Wire):
    """A file of a checkpoint: `path` is relative to its folder."""

    path: str
    size_bytes: int
    sha256: str


class CheckpointFiles(Wire):
    """A checkpoint and its files."""

    checkpoint: CheckpointView
    files: list[CheckpointFile]


class DownloadLink(Wire):
    """An address, from `/` on, that a browser can fetch without saying who asks, begun before `expires_at`; where
    nobody must log in, at any time."""

    url: str
    expires_at: Timestamp | None = None
