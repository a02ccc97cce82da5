"""A trainer process as the agent sees it, and the one that is started without a zygote."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Child(Protocol):
    """A process that leads its own group. Methods may be called from any thread."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None:
        """Exit code, minus the signal's number, or None while it runs."""
        ...

    def kill(self) -> None:
        """SIGKILL to the whole group; nothing once it has ended."""
        ...

    def release(self) -> None:
        """Kill what is left of it and let the system forget the process. Call once, at the end."""
        ...


@dataclass(frozen=True)
class Start:
    """What a new trainer needs. The caller keeps, and closes, its own copies of the descriptors."""

    run: str
    spec_path: Path
    log_path: Path
    read_fd: int
    write_fd: int


def kill_group(pid: int) -> None:
    """SIGKILL to the group that `pid` leads, and to `pid`: it has no group of its own in its first moments."""
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


class ColdChild:
    """A trainer in a fresh interpreter. Start it from the agent's main thread: it dies with that thread."""

    def __init__(self, start: Start, entry: str, env: Mapping[str, str]) -> None:
        self._lock = threading.Lock()
        self._status: int | None = None
        with start.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "worker.zygote.cold", *_arguments(start, entry)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(env),
                pass_fds=(start.read_fd, start.write_fd),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def poll(self) -> int | None:
        with self._lock:
            if self._status is None and os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                kill_group(self.pid)  # the zombie still holds the group's number
                self._status = self._process.wait()
            return self._status

    def kill(self) -> None:
        if self.poll() is None:
            with self._lock:
                if self._status is None:
                    kill_group(self.pid)

    def release(self) -> None:
        self.kill()
        with self._lock:
            if self._status is None:
                self._status = self._process.wait()


def _arguments(start: Start, entry: str) -> list[str]:
    return [
        f"--spec={start.spec_path}",
        f"--read-fd={start.read_fd}",
        f"--write-fd={start.write_fd}",
        f"--parent={os.getpid()}",
        f"--entry={entry}",
    ]
