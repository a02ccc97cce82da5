"""Where a checkpoint's objects lie, and the manifest that is written last."""

from __future__ import annotations

from kargah.contracts.checkpoints import Manifest
from kargah.contracts.runs import CheckpointMessage


def manifest_of(message: CheckpointMessage, job_id: str, generation: int) -> Manifest:
    """Raises ValueError for a path that leads out of the folder."""
    return Manifest(job_id=job_id, step=message.step, generation=generation, epoch=message.epoch, files=message.files)


def checkpoint_prefix(job_id: str, step: int, generation: int) -> str:
    """Where a checkpoint's objects lie; with the generation in it, attempts never overwrite each other's."""
    return f"{checkpoints_root(job_id)}{step:09d}-{generation}/"


def checkpoints_root(job_id: str) -> str:
    return f"jobs/{job_id}/checkpoints/"
