"""One run of a job, from its spec to its exit status."""

from __future__ import annotations

import argparse
import errno
import os
import stat
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from kargah.contracts.runs import DoneMessage, FailedMessage, RunSpec
from kargah.domain.errors import DomainError
from worker.kinds.registry import run_job
from worker.trainer.context import MessageContext
from worker.trainer.errors import AgentGone, TrainingError
from worker.trainer.pipe_context import PipeContext, PrintingContext
from worker.trainer.ranks.crew import run_ranks

DONE, PERMANENT, RETRYABLE = 0, 10, 11
_READ_FD, _WRITE_FD = 3, 4


def run(spec: RunSpec, read_fd: int, write_fd: int) -> int:
    """Do as `spec` says, talking over two pipes. 0: done; 10: it would fail again; 11: another try may help."""
    return _run(PipeContext(spec, read_fd, write_fd), (read_fd, write_fd))


def _run(context: MessageContext, own_fds: tuple[int, ...] = ()) -> int:
    if context.spec.devices == 1:
        return execute(context)
    return _told(context, lambda: run_ranks(context, own_fds, execute))


def execute(context: MessageContext) -> int:
    """Do the job; its exit status."""

    def work() -> int:
        context.send(DoneMessage(outcome=run_job(context)))
        return DONE

    return _told(context, work)


def _told(context: MessageContext, work: Callable[[], int]) -> int:
    """The edge of the process: every failure becomes a message and a status."""
    try:
        return work()
    except AgentGone:
        return RETRYABLE
    except TrainingError as error:
        return _fail(context, error)
    except DomainError as error:
        return _fail(context, TrainingError(error.code, error.message, error.hint))
    except OSError as error:
        return _fail(context, _io_error(error))
    except Exception as error:  # the edge: whatever it is, the job must say so, and the log must show where
        traceback.print_exc()
        return _fail(context, _unexpected(error))


def _io_error(error: OSError) -> TrainingError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        hint = "Make room in the worker's data folder; checkpoints are intact."
        return TrainingError("disk_full", f"The worker's disk is full: {error}", hint, permanent=False)
    return TrainingError("io_error", f"A file could not be written or read: {error}", permanent=False)


def _unexpected(error: Exception) -> TrainingError:
    from worker.trainer.device import is_out_of_memory

    if is_out_of_memory(error):
        return TrainingError(
            "out_of_memory",
            "The model does not fit into the device's memory.",
            "Use LoRA, switch gradient_checkpointing on, or take a smaller model.",
        )
    return TrainingError(
        "internal", f"{type(error).__name__}: {error}", "The worker's log has details.", permanent=False
    )


def _fail(context: MessageContext, error: TrainingError) -> int:
    message = FailedMessage(code=error.code, message=error.message, hint=error.hint, permanent=error.permanent)
    try:
        context.send(message)
    except AgentGone:
        return RETRYABLE
    return PERMANENT if error.permanent else RETRYABLE


def main() -> int:
    """`python -m worker.trainer.main --spec FILE`: over file descriptors 3 and 4 if both are pipes, else printing."""
    parser = argparse.ArgumentParser(prog="worker.trainer.main")
    parser.add_argument("--spec", type=Path, required=True)
    spec = RunSpec.model_validate_json(parser.parse_args().spec.read_bytes())
    if _is_pipe(_READ_FD) and _is_pipe(_WRITE_FD):
        return run(spec, _READ_FD, _WRITE_FD)
    return _run(PrintingContext(spec))


def _is_pipe(descriptor: int) -> bool:
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


if __name__ == "__main__":
    sys.exit(main())
