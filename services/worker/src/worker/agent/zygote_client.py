"""The agent's end of the zygote: starts it, asks it to fork trainers, hears of their exits."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from worker.agent.child import Start, kill_group
from worker.zygote.wire import Exited, Launch, Ready, Reap, Refused, Reply, Started, Unfit, receive_reply, send

ZYGOTE_DIED = -9


class ZygoteUnavailable(RuntimeError):
    """No trainer can be forked now; the message says why. Start one cold instead."""


@dataclass(frozen=True)
class ZygoteCommand:
    """How to start a zygote: `env` is its whole environment, `preload` and `entry` are `module:function`."""

    env: Mapping[str, str]
    log_path: Path
    preload: str
    entry: str


class ZygoteChild:
    """A forked trainer. The zygote keeps it as a zombie until `release`, so its pid cannot become a stranger's."""

    def __init__(self, zygote: Zygote, run: str) -> None:
        self._zygote = zygote
        self._run = run
        self._lock = threading.Lock()
        self._started = threading.Event()
        self._pid = 0
        self._status: int | None = None
        self._released = False
        self.refusal: str | None = None

    @property
    def pid(self) -> int:
        return self._pid

    def poll(self) -> int | None:
        return self._status

    def kill(self) -> None:
        with self._lock:
            if self._pid and self._status is None and not self._released:
                kill_group(self._pid)

    def release(self) -> None:
        self.kill()
        with self._lock:
            self._released = True
        self._zygote.reap(self._run)

    def wait_started(self, timeout: float) -> bool:
        """Whether the zygote answered within `timeout` seconds; `refusal` says why it did not fork."""
        return self._started.wait(timeout)

    def started(self, pid: int) -> None:
        self._pid = pid
        self._started.set()

    def refused(self, reason: str) -> None:
        self.refusal = reason
        self._started.set()

    def exited(self, status: int) -> None:
        with self._lock:
            self._status = status


@dataclass
class Zygote:
    """One zygote process. Make it with `start`, from the main thread: it dies with the thread that made it."""

    process: subprocess.Popen[bytes]
    channel: socket.socket
    ready: Ready | None = None
    failure: str | None = None
    _children: dict[str, ZygoteChild] = field(default_factory=dict)
    _known: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._started_at = time.monotonic()
        self._listener = threading.Thread(target=self._listen, name="zygote-listener", daemon=True)

    @classmethod
    def start(cls, command: ZygoteCommand) -> Zygote:
        """Start the process; it imports in the background."""
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, command.log_path.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "worker.zygote.main", *_arguments(command, theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(command.env),
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        zygote = cls(process, mine)
        zygote._listener.start()
        return zygote

    def usable(self) -> bool:
        """Whether it may fork now or soon: it has not failed."""
        return self.failure is None

    def importing(self, patience: float) -> bool:
        """Whether it is not ready yet, and was started less than `patience` seconds ago."""
        return not self._known.is_set() and time.monotonic() - self._started_at < patience

    def fork(self, start: Start, timeout: float) -> ZygoteChild:
        """Fork a trainer, waiting at most `timeout` seconds for imports to end. Raises ZygoteUnavailable."""
        if not self._known.wait(timeout):
            raise ZygoteUnavailable(f"still importing after {timeout:g} s")
        child = ZygoteChild(self, start.run)
        with self._lock:
            if self.failure is not None:
                raise ZygoteUnavailable(self.failure)
            self._children[start.run] = child
        launch = Launch(run=start.run, spec_path=str(start.spec_path), log_path=str(start.log_path))
        self._send_launch(launch, start)
        if not child.wait_started(timeout):
            self.process.kill()  # it may yet fork, and nobody would watch over that child
            raise ZygoteUnavailable("it does not answer")
        if child.refusal is not None:
            raise ZygoteUnavailable(child.refusal)
        return child

    def reap(self, run: str) -> None:
        """Let the zygote forget a child that has ended."""
        with self._lock:
            self._children.pop(run, None)
        try:
            send(self.channel, Reap(run=run))
        except OSError:
            return  # it is gone, and its children with it

    def close(self) -> None:
        """End the zygote and every trainer it forked."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._listener.join()
        self.channel.close()

    def _send_launch(self, launch: Launch, start: Start) -> None:
        try:
            send(self.channel, launch, (start.read_fd, start.write_fd))
        except OSError as error:
            raise ZygoteUnavailable(f"the channel is broken: {error}") from error

    def _listen(self) -> None:
        try:
            while (reply := receive_reply(self.channel)) is not None:
                self._take(reply)
        except OSError as error:
            self._fail(f"the channel is broken: {error}")
        self._fail(f"it ended with status {self.process.wait()}")

    def _take(self, reply: Reply) -> None:
        match reply:
            case Ready():
                self.ready = reply
                self._known.set()
            case Unfit():
                self._fail(reply.reason)
            case Started():
                self._child(reply.run, lambda child: child.started(reply.pid))
            case Refused():
                self._child(reply.run, lambda child: child.refused(reply.reason))
            case Exited():
                self._child(reply.run, lambda child: child.exited(reply.status))

    def _child(self, run: str, tell: Callable[[ZygoteChild], None]) -> None:
        with self._lock:
            child = self._children.get(run)
        if child is not None:
            tell(child)

    def _fail(self, reason: str) -> None:
        """No more trainers from this zygote; those it forked die with it."""
        with self._lock:
            self.failure = self.failure or reason
            orphans = list(self._children.values())
        self._known.set()
        for child in orphans:
            child.refused(reason)
            if child.poll() is None:
                child.exited(ZYGOTE_DIED)


def _arguments(command: ZygoteCommand, channel: int) -> list[str]:
    return [
        f"--channel={channel}",
        f"--parent={os.getpid()}",
        f"--preload={command.preload}",
        f"--entry={command.entry}",
    ]
