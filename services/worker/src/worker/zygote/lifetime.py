"""Processes that die with whoever started them, in groups of their own."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_LIBC = ctypes.CDLL(None, use_errno=True)
_KEEP_IGNORED = frozenset({signal.SIGPIPE, signal.SIGXFSZ})


def die_with_parent(parent: int) -> None:
    """Be killed when `parent` (a pid) dies; ends at once if it is dead already."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def hide_environment() -> None:
    """Keep this process's memory and environment (its secrets) from other processes of the same user."""
    _LIBC.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def lead_own_group() -> None:
    """Become leader of a new session, unless it is one already, so that one signal reaches all descendants."""
    with contextlib.suppress(PermissionError):
        os.setsid()


def default_signals() -> None:
    """Undo what the parent set: default actions, nothing blocked. What Python ignores, to raise errors instead (a
    broken pipe, a file that grew too large), stays ignored."""
    for number in signal.valid_signals() - _KEEP_IGNORED:
        with contextlib.suppress(OSError, ValueError):  # SIGKILL, SIGSTOP and the C library's own
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def redirect_output(log_path: Path) -> None:
    """Send standard output and error to the end of `log_path`, and read standard input from nothing."""
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.close(nothing)


def die_first_when_memory_runs_out() -> None:
    """Ask the kernel to choose this process before the agent and the databases of this machine."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")


def thread_count() -> int:
    """Threads of this process, as the kernel counts them."""
    return len(os.listdir("/proc/self/task"))
