"""A child process that never outlives its supervisor, and tells what it logged when it fails."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

_PR_SET_PDEATHSIG = 1
# Loaded before any fork: between fork and exec only a plain C call is safe.
_LIBC = ctypes.CDLL(None, use_errno=True)
_TAIL_BYTES = 4000
_LOG_BYTES = 10_000_000
_POLL_SECONDS = 0.05


class ProcessFailed(RuntimeError):
    """A child ended early or was not ready in time. The message ends with the tail of its log."""


@dataclass(frozen=True)
class Identity:
    """The user and group a child drops to; its supplementary groups are emptied."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Command:
    """What to run and how to end it.

    `env` is the whole environment of the child; `inherited` are open files it keeps. `stop_signal` asks it to
    end; `orphan_signal` is what the kernel sends it when the thread that started it dies, so start children
    from a thread that lives as long as the supervisor (the main one).
    """

    name: str
    arguments: Sequence[str]
    log_file: Path
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    identity: Identity | None = None
    inherited: Sequence[int] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGTERM


class ManagedProcess:
    """One running `Command`, leader of its own session. Also a context manager: leaving stops it."""

    def __init__(self, command: Command) -> None:
        """Start the child at once. Raises `OSError` when the program cannot be executed."""
        self.command = command
        _prepare_log(command.log_file)
        self._log_start = _size(command.log_file)
        with command.log_file.open("ab") as log:
            self._child = _start(command, log.fileno())

    @property
    def pid(self) -> int:
        """Process id, which is also the id of the child's session and process group."""
        return self._child.pid

    @property
    def exit_status(self) -> int | None:
        """Its exit status, negative for a signal; None until `alive` has seen it ended."""
        return self._child.returncode

    def alive(self) -> bool:
        """Whether the child still runs. When it has ended, kill the rest of its group and reap it."""
        if self._child.returncode is not None:
            return False
        # WNOWAIT: the zombie keeps the group's id from being given to a stranger until the group is killed.
        if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return True
        self.kill()
        return False

    def wait_ready(self, check: Callable[[], bool], timeout: float) -> None:
        """Poll `check` until it returns true; it must not raise for a server that is merely not up yet.

        Raises `ProcessFailed` when the child ends first or `timeout` seconds pass.
        """
        deadline = time.monotonic() + timeout
        while self.alive():
            if check():
                return
            if time.monotonic() > deadline:
                raise ProcessFailed(self._story(f"was not ready within {timeout:g} s"))
            time.sleep(_POLL_SECONDS)
        raise ProcessFailed(self._story(f"ended with status {self._child.returncode}"))

    def stop(self, grace: float = 10.0) -> None:
        """Ask the child to end; after `grace` seconds kill its whole group. No-op once it has ended."""
        if not self.alive():
            return
        self._child.send_signal(self.command.stop_signal)
        deadline = time.monotonic() + grace
        while self.alive() and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        self.kill()

    def kill(self) -> None:
        """SIGKILL to the whole group, then reap. Does nothing once it has ended."""
        if self._child.returncode is not None:
            return
        _signal_group(self.pid, signal.SIGKILL)
        self._child.wait()

    def log_tail(self) -> str:
        """The end of what this run wrote to its log (at most 4 kB)."""
        size = _size(self.command.log_file)
        with self.command.log_file.open("rb") as log:
            log.seek(max(self._log_start, size - _TAIL_BYTES))
            return log.read().decode("utf-8", errors="replace").strip()

    def _story(self, what: str) -> str:
        tail = self.log_tail() or "(it logged nothing)"
        return f"{self.command.name} {what}; see {self.command.log_file}:\n{tail}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _start(command: Command, log_fd: int) -> subprocess.Popen[bytes]:
    identity = command.identity
    return subprocess.Popen(
        list(command.arguments),
        stdin=subprocess.DEVNULL,
        stdout=log_fd,
        stderr=log_fd,
        cwd=command.cwd,
        env=dict(command.env),
        start_new_session=True,
        pass_fds=command.inherited,
        user=identity.uid if identity else None,
        group=identity.gid if identity else None,
        extra_groups=[] if identity else None,
        preexec_fn=_die_with(os.getpid(), command.orphan_signal),
    )


def _die_with(supervisor: int, orphan_signal: signal.Signals) -> Callable[[], None]:
    """What the child does just before exec. Popen has changed user by then: doing so clears the setting."""

    def ask_for_signal() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(orphan_signal), 0, 0, 0)
        if os.getppid() != supervisor:
            os._exit(1)  # the supervisor died between the fork and the line above

    return ask_for_signal


def _signal_group(group: int, which: signal.Signals) -> None:
    try:
        os.killpg(group, which)
    except ProcessLookupError:
        return


def _prepare_log(log_file: Path) -> None:
    """Make its folder; a long log steps aside, so that at most one run and 10 MB before it are kept."""
    log_file.parent.mkdir(parents=True, exist_ok=True)
    if _size(log_file) > _LOG_BYTES:
        log_file.replace(log_file.with_name(f"{log_file.name}.1"))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
