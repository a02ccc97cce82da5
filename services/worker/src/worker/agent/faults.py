"""Errors of fetching and storing, told apart: the platform's (try again, not counted) and the job's own."""

from __future__ import annotations

import errno

from kargah.contracts.jobs import JobError
from kargah.domain.errors import Unavailable
from kargah.domain.job_state import Cause
from kargah.ports.object_store import ObjectMissing, StoreUnavailable
from worker.agent.checkpoints import CheckpointNotStored
from worker.agent.ending import Ending, Failed, GivenBack
from worker.agent.refusals import PeerRefused
from worker.agent.restore import StartingPointLost
from worker.fetch import BlobCorrupt

# Another job would meet the same here, and fare better on another worker.
OF_THIS_MACHINE = frozenset({"disk_full", "io_error"})
_FRESH_START = "Restart the first job from another checkpoint, or from the beginning."


def ending_for(error: Exception) -> Ending | None:
    """How an attempt ends that met `error`; None for one that nobody foresaw."""
    match error:
        case StoreUnavailable() | Unavailable():
            reason = f"something the worker needs does not answer: {error}"
            return GivenBack(reason, Cause.UNAVAILABLE, back_off=True)
        case StartingPointLost():
            return Failed(JobError(code="start_lost", message=str(error), hint=_FRESH_START, permanent=True))
        case PeerRefused():
            return Failed(JobError(code="refused", message=str(error), permanent=True))
        case ObjectMissing():
            return Failed(_input_error("input_missing", f"The object store lacks {error}.", permanent=True))
        case BlobCorrupt():
            return Failed(_input_error("input_corrupt", str(error), permanent=False))
        case CheckpointNotStored():
            message = f"The checkpoint could not be stored: {error}"
            return Failed(JobError(code="checkpoint_not_stored", message=message, permanent=False))
        case OSError(errno=errno.ENOSPC | errno.EDQUOT | errno.EFBIG):
            return Failed(JobError(code="disk_full", message="The worker's disk is full.", permanent=False))
        case OSError():
            return Failed(JobError(code="io_error", message=str(error), permanent=False))
    return None


def _input_error(code: str, message: str, *, permanent: bool) -> JobError:
    return JobError(code=code, message=message, hint="Install or upload it again.", permanent=permanent)
