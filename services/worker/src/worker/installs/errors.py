"""Why an install failed, in the words that the job will show."""

from __future__ import annotations

from worker.trainer.errors import TrainingError


class InstallFailed(TrainingError):
    """`permanent` unless the network or the hub may get over it."""
