"""The processes of a run: rank 0 forks the others, watches over them, and ends with them.

A rank that is lost ends the attempt, which goes on from its last checkpoint as after any other loss. No rank outlives
rank 0: the kernel kills them with it.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock, Thread
from typing import NoReturn

from pydantic import ValidationError

from kargah.contracts.runs import FailedMessage
from worker.trainer.context import MessageContext
from worker.trainer.errors import AgentGone, TrainingError
from worker.trainer.ranks.config import take_device
from worker.trainer.ranks.context import PeerContext, RankContext
from worker.zygote import lifetime

Execute = Callable[[MessageContext], int]
LOST = "rank_lost"
_CRASHED, _PERMANENT, _RETRYABLE = 70, 10, 11
_READ_BYTES = 65_536
_CAUSE_SECONDS = 3.0
_LEAVE_SECONDS = 5.0


@dataclass(frozen=True)
class _Peer:
    rank: int
    pid: int
    read_fd: int


def run_ranks(context: MessageContext, own_fds: Iterable[int], execute: Execute) -> int:
    """Run `execute` in `context.spec.devices` processes, this one being rank 0; its exit status.

    Call while this process has one thread. `own_fds` are rank 0's alone. A failure of another rank is told through
    `context`, and ends this process.
    """
    crew = Crew(context)
    for rank in range(1, context.spec.devices):
        crew.start(rank, own_fds, execute)
    take_device(0)
    context.event("ranks_started", {"devices": context.spec.devices, "pids": [os.getpid(), *crew.pids()]})
    crew.watch()
    status = execute(RankContext(context, 0, crew.broken))
    crew.dismiss()
    return status


class Crew:
    """The ranks besides 0, each followed by a thread of its own: one that is lost is noticed whatever rank 0 does."""

    def __init__(self, context: MessageContext) -> None:
        self._context = context
        self._peers: list[_Peer] = []
        self._followers: list[Thread] = []
        self._telling = Lock()

    def start(self, rank: int, foreign_fds: Iterable[int], execute: Execute) -> None:
        """Fork a rank."""
        read_fd, write_fd = os.pipe()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            _be_peer(PeerContext(self._context.spec, write_fd), rank, parent, [read_fd, *foreign_fds], execute)
        os.close(write_fd)
        self._peers.append(_Peer(rank, pid, read_fd))

    def pids(self) -> list[int]:
        """Of the ranks from 1 on."""
        return [peer.pid for peer in self._peers]

    def watch(self) -> None:
        """Follow every rank from now on."""
        self._followers = [
            Thread(target=self._follow, args=(peer,), name=f"rank-{peer.rank}", daemon=True) for peer in self._peers
        ]
        for thread in self._followers:
            thread.start()

    def broken(self, error: RuntimeError) -> TrainingError:
        """What a failed meeting means to rank 0: a rank was lost, so the process usually ends in here, once it is
        known why."""
        time.sleep(2 * _CAUSE_SECONDS)
        return TrainingError(LOST, f"The processes of the training lost each other: {error}", permanent=False)

    def dismiss(self) -> None:
        """The run is over: let the others leave, and end those that do not."""
        until = time.monotonic() + _LEAVE_SECONDS
        for peer, thread in zip(self._peers, self._followers, strict=True):
            thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                os.kill(peer.pid, signal.SIGKILL)

    def _follow(self, peer: _Peer) -> None:
        told = b""
        while data := os.read(peer.read_fd, _READ_BYTES):
            told += data
        os.close(peer.read_fd)
        status = os.waitstatus_to_exitcode(os.waitpid(peer.pid, 0)[1])
        if status == 0:
            return
        if status == _RETRYABLE and not told:
            time.sleep(_CAUSE_SECONDS)  # it only saw that another was gone: that one's follower tells why
        self._end(_failure(told) or self._lost(peer.rank, status))

    def _lost(self, rank: int, status: int) -> FailedMessage:
        how = f"exited with code {status}" if status >= 0 else f"was killed by {signal.Signals(-status).name}"
        message = f"Process {rank} of the training (0 to {self._context.spec.devices - 1}) {how}."
        memory = "Usually the machine ran out of memory: shorter sequences or LoRA need less."
        return FailedMessage(
            code=LOST, message=message, hint=memory if status == -signal.SIGKILL else None, permanent=False
        )

    def _end(self, failure: FailedMessage) -> NoReturn:
        """In a follower's thread: rank 0 may be in a meeting that never ends, so the process is ended from here."""
        with self._telling:
            with suppress(AgentGone):
                self._context.send(failure)
            _leave(_PERMANENT if failure.permanent else _RETRYABLE)


def _be_peer(context: PeerContext, rank: int, parent: int, foreign_fds: Iterable[int], execute: Execute) -> NoReturn:
    """The forked side; never returns."""
    status = _CRASHED
    try:
        lifetime.die_with_parent(parent)
        for descriptor in foreign_fds:
            os.close(descriptor)
        take_device(rank)
        status = execute(RankContext(context, rank, _gone))
    except BaseException:  # the edge of the process: the traceback goes to its log, the status to rank 0
        traceback.print_exc()
    finally:
        _leave(status)


def _gone(error: RuntimeError) -> AgentGone:
    """What a failed meeting means to the other ranks: they leave in silence."""
    return AgentGone(str(error))


def _failure(told: bytes) -> FailedMessage | None:
    try:
        return FailedMessage.model_validate_json(told)
    except ValidationError:
        return None


def _leave(status: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
