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

from kargah.contracts.runs import FailedMessage, NodePlan
from worker.nodes.wire import LEFT, address_of
from worker.trainer.context import MessageContext
from worker.trainer.errors import AgentGone, TrainingError
from worker.trainer.ranks.config import take_device
from worker.trainer.ranks.context import Meeting, PeerContext, RankContext
from worker.trainer.ranks.nodes import Node, gather_nodes, local_ranks
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
    """Run `execute` in `context.spec.devices` processes, this one being rank 0; its exit status. Some of them may be on
    other nodes; and on another node than 0, this process only watches over those that are there.

    Call while this process has one thread. `own_fds` are rank 0's alone. A failure of another rank is told through
    `context`, and ends this process. Raises TrainingError when other nodes are needed and do not come.
    """
    spec = context.spec
    if spec.nodes is not None and spec.nodes.first > 0:
        return _run_node(context, spec.nodes, own_fds, execute)
    nodes, meeting = gather_nodes(context)
    crew = Crew(context, meeting)
    for rank in range(1, local_ranks(spec)):
        crew.start(rank, [*own_fds, *(node.connection.fileno() for node in nodes)], execute)
    take_device(0, alone=meeting is None)
    started = {"devices": spec.devices, "pids": [os.getpid(), *crew.pids()]}
    context.event("ranks_started", started | ({"nodes": 1 + len(nodes)} if nodes else {}))
    crew.watch(nodes)
    status = execute(RankContext(context, 0, crew.broken, meeting))
    crew.dismiss()
    return status


def _run_node(context: MessageContext, plan: NodePlan, own_fds: Iterable[int], execute: Execute) -> int:
    """The ranks of this machine, to their end."""
    host, _ = address_of(plan.address)
    crew = Crew(context, Meeting(host, plan.meeting_port), plan.first)
    for rank in range(plan.first, plan.first + local_ranks(context.spec)):
        crew.start(rank, own_fds, execute)
    crew.watch()
    crew.wait()
    return 0


class Crew:
    """The ranks besides 0, each followed by a thread of its own: one that is lost is noticed whatever rank 0 does."""

    def __init__(self, context: MessageContext, meeting: Meeting | None = None, first: int = 0) -> None:
        """`first` is the first rank of this machine."""
        self._context = context
        self._meeting = meeting
        self._first = first
        self._peers: list[_Peer] = []
        self._followers: list[Thread] = []
        self._telling = Lock()

    def start(self, rank: int, foreign_fds: Iterable[int], execute: Execute) -> None:
        """Fork a rank."""
        read_fd, write_fd = os.pipe()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            foreign = [read_fd, *foreign_fds, *self._listening()]
            context = RankContext(PeerContext(self._context.spec, write_fd), rank, _gone, self._meeting)
            _be_peer(context, rank - self._first, parent, foreign, execute)
        os.close(write_fd)
        self._peers.append(_Peer(rank, pid, read_fd))

    def pids(self) -> list[int]:
        """Of the ranks from 1 on."""
        return [peer.pid for peer in self._peers]

    def watch(self, nodes: Iterable[Node] = ()) -> None:
        """Follow every rank, and every other node, from now on."""
        self._followers = [
            Thread(target=self._follow, args=(peer,), name=f"rank-{peer.rank}", daemon=True) for peer in self._peers
        ]
        others = [
            Thread(target=self._follow_node, args=(node,), name=f"node-{node.index}", daemon=True) for node in nodes
        ]
        for thread in [*self._followers, *others]:
            thread.start()

    def wait(self) -> None:
        """Until every rank of this machine has ended well; when one does not, this process ends."""
        for thread in self._followers:
            thread.join()

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

    def _listening(self) -> list[int]:
        """What only rank 0 may hold."""
        meeting = self._meeting
        return [] if meeting is None or meeting.listen_fd is None else [meeting.listen_fd]

    def _follow_node(self, node: Node) -> None:
        told = b""
        with suppress(OSError):  # it is gone, and so is what it would have said
            while data := node.connection.recv(_READ_BYTES):
                told += data
        if told.strip() == LEFT:
            return
        message = f"{node} was lost: its connection broke."
        self._end(_failure(told) or FailedMessage(code=LOST, message=message, permanent=False))

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


def _be_peer(context: RankContext, place: int, parent: int, foreign_fds: Iterable[int], execute: Execute) -> NoReturn:
    """The forked side, on this machine's device of that place; never returns."""
    status = _CRASHED
    try:
        lifetime.die_with_parent(parent)
        for descriptor in foreign_fds:
            os.close(descriptor)
        take_device(place, alone=context.meeting is None)
        status = execute(context)
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
