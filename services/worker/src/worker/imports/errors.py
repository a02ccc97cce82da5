"""Why a file cannot be imported, in the words that the job will show."""

from __future__ import annotations

from worker.trainer.errors import TrainingError


class ImportFailed(TrainingError):
    """`permanent` unless the network or the other side may get over it."""
