"""What is made of a trainer's end, and of errors around it."""

from __future__ import annotations

import errno

import pytest

from kargah.contracts.runs import DoneMessage, FailedMessage, OutputMessage
from kargah.domain.errors import Unavailable
from kargah.domain.job_state import Cause
from kargah.ports.object_store import ObjectMissing, StoreUnavailable
from worker.agent.checkpoints import CheckpointNotStored
from worker.agent.ending import Failed, Finished, GivenBack, LastWords, Paused, hung, judge
from worker.agent.faults import ending_for
from worker.agent.refusals import PeerRefused
from worker.fetch import BlobCorrupt

OUTPUT = OutputMessage(directory="/out", files=[])


def end(last: DoneMessage | FailedMessage | None, status: int = 0, output: OutputMessage | None = None) -> object:
    return judge(LastWords(last, output, status, "line\nlast line"))


def test_good_ends() -> None:
    assert end(DoneMessage(outcome="finished"), output=OUTPUT) == Finished(OUTPUT, "finished")
    assert end(DoneMessage(outcome="stopped"), output=OUTPUT) == Finished(OUTPUT, "stopped")
    assert end(DoneMessage(outcome="paused")) == Paused()
    assert end(DoneMessage(outcome="drained")) == GivenBack("the worker is shutting down", Cause.SHUTTING_DOWN)


def test_an_end_without_a_result_is_a_failure() -> None:
    ending = end(DoneMessage(outcome="finished"))
    assert isinstance(ending, Failed) and ending.error.code == "no_output"


def test_a_failure_keeps_the_trainers_own_words() -> None:
    ending = end(FailedMessage(code="nan_loss", message="NaN", hint="lower it", permanent=True), status=1)
    assert isinstance(ending, Failed)
    assert (ending.error.code, ending.error.hint, ending.error.permanent) == ("nan_loss", "lower it", True)


@pytest.mark.parametrize(
    ("status", "words"), [(3, "exited with code 3"), (-9, "SIGKILL"), (-11, "SIGSEGV"), (-63, "63"), (0, "code 0")]
)
def test_a_crash_tells_how_and_its_last_output(status: int, words: str) -> None:
    ending = end(None, status)
    assert isinstance(ending, Failed) and not ending.error.permanent
    assert words in ending.error.message and "last line" in ending.error.message


def test_a_kill_hints_at_memory() -> None:
    ending = end(None, -9)
    assert isinstance(ending, Failed) and "memory" in (ending.error.hint or "")


def test_hanging_names_the_phase() -> None:
    assert "evaluating" in hung("evaluating", 900.0).error.message


@pytest.mark.parametrize("error", [StoreUnavailable("503"), Unavailable("no database")])
def test_what_is_away_gives_the_job_back_uncounted(error: Exception) -> None:
    ending = ending_for(error)
    assert isinstance(ending, GivenBack) and ending.back_off and ending.cause is Cause.UNAVAILABLE


@pytest.mark.parametrize(
    ("error", "code", "permanent"),
    [
        (PeerRefused(404, "no such model"), "refused", True),
        (ObjectMissing("blobs/x"), "input_missing", True),
        (BlobCorrupt("sha256"), "input_corrupt", False),
        (CheckpointNotStored("503"), "checkpoint_not_stored", False),
        (OSError(errno.ENOSPC, "full"), "disk_full", False),
        (OSError(errno.EIO, "broken"), "io_error", False),
    ],
)
def test_foreseen_errors(error: Exception, code: str, permanent: bool) -> None:
    ending = ending_for(error)
    assert isinstance(ending, Failed) and (ending.error.code, ending.error.permanent) == (code, permanent)


def test_an_unforeseen_error_is_nobodys() -> None:
    assert ending_for(ZeroDivisionError()) is None
