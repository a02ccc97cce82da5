"""The zygote's loop: forks on request, tells of exits. One thread, so that forking is safe."""

from __future__ import annotations

import os
import selectors
import signal
import socket
from dataclasses import dataclass, field

from worker.zygote.child import become_trainer
from worker.zygote.wire import Exited, Launch, Reap, Refused, Started, receive_request, send


@dataclass
class _Child:
    pid: int
    pidfd: int


@dataclass
class Server:
    """Serves one agent over `channel` until it closes; `entry` is what each child runs."""

    channel: socket.socket
    entry: str
    _children: dict[str, _Child] = field(default_factory=dict)
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def serve(self) -> None:
        """Until the agent closes its end; then every child is killed."""
        self._selector.register(self.channel, selectors.EVENT_READ, None)
        while True:
            for key, _events in self._selector.select():
                if key.data is not None:
                    self._tell_exit(key.data)
                elif not self._answer():
                    return self._kill_all()

    def _answer(self) -> bool:
        received = receive_request(self.channel)
        if received is None:
            return False
        request, fds = received
        if isinstance(request, Reap):
            self._reap(request.run)
        else:
            self._launch(request, fds)
        for fd in fds:
            os.close(fd)
        return True

    def _launch(self, launch: Launch, fds: list[int]) -> None:
        if len(fds) != 2:
            return send(self.channel, Refused(run=launch.run, reason=f"{len(fds)} descriptors instead of 2"))
        zygote_pid = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._let_go()
            become_trainer(launch, self.entry, zygote_pid, (fds[0], fds[1]))
        child = _Child(pid, os.pidfd_open(pid))
        self._children[launch.run] = child
        self._selector.register(child.pidfd, selectors.EVENT_READ, launch.run)
        send(self.channel, Started(run=launch.run, pid=pid))

    def _let_go(self) -> None:
        """In the child: close what belongs to the zygote."""
        self._selector.close()
        self.channel.close()
        for sibling in self._children.values():
            os.close(sibling.pidfd)

    def _tell_exit(self, run: str) -> None:
        child = self._children.get(run)
        if child is None:  # reaped a moment ago: the same look at the selector had seen both
            return
        self._selector.unregister(child.pidfd)
        ended = os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        if ended is None:
            return
        _kill_group(child.pid)  # whatever it left behind; the zombie still holds the group's number
        status = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
        send(self.channel, Exited(run=run, status=status))

    def _reap(self, run: str) -> None:
        """Forget a child that was told dead, or that the agent has killed before hearing of its end."""
        child = self._children.pop(run, None)
        if child is None:
            return
        if child.pidfd in self._selector.get_map():
            self._selector.unregister(child.pidfd)
        os.close(child.pidfd)
        _kill_group(child.pid)
        os.waitpid(child.pid, 0)

    def _kill_all(self) -> None:
        for run in list(self._children):
            self._reap(run)


def _kill_group(pid: int) -> None:
    """Kill the group and its leader: a child that is killed before its setsid has no group of its own yet."""
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
