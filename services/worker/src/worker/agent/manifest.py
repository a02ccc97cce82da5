"""The manifest of a stored checkpoint: written last, read first."""

from __future__ import annotations

from typing import Self

from pydantic import ValidationError, model_validator

from kargah.contracts.runs import CheckpointMessage, FileEntry, Message
from kargah.domain.file_paths import problem_with_path

NAME = "manifest.json"


class Manifest(Message):
    """What belongs to the checkpoint, and which one it is, so that a swapped one is noticed."""

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


def manifest_of(message: CheckpointMessage, job_id: str, generation: int) -> Manifest:
    """Raises ValueError for a path that leads out of the folder."""
    return Manifest(job_id=job_id, step=message.step, generation=generation, epoch=message.epoch, files=message.files)


def read_manifest(data: bytes) -> Manifest:
    """Raises ValueError with a short reason."""
    try:
        return Manifest.model_validate_json(data)
    except ValidationError as error:
        raise ValueError(f"unreadable: {error.errors(include_url=False)[0]['msg']}") from error


def checkpoint_prefix(job_id: str, step: int, generation: int) -> str:
    """Where a checkpoint's objects lie; with the generation in it, attempts never overwrite each other's."""
    return f"{checkpoints_root(job_id)}{step:09d}-{generation}/"


def checkpoints_root(job_id: str) -> str:
    return f"jobs/{job_id}/checkpoints/"
