"""Node 0's side of a run on several machines: it lets the others in, and tells each which ranks it has."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass

from kargah.contracts.runs import NodePlan, RunSpec
from worker.nodes import wire
from worker.trainer.context import MessageContext
from worker.trainer.errors import TrainingError
from worker.trainer.ranks.context import Meeting

_WAIT_SECONDS = 300.0
_LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class Node:
    """Another machine's part: the ranks from `first` on. `connection` ends with it."""

    index: int
    first: int
    ranks: int
    connection: socket.socket

    def __str__(self) -> str:
        return f"Node {self.index} of the training (processes {self.first} to {self.first + self.ranks - 1})"


def local_ranks(spec: RunSpec) -> int:
    """How many of the run's ranks this machine has."""
    if spec.nodes is None:
        return spec.devices
    return min(spec.devices - spec.nodes.first, spec.nodes.devices)


def gather_nodes(context: MessageContext) -> tuple[list[Node], Meeting | None]:
    """Wait for as many nodes as the run needs; none where this one has devices enough. Raises TrainingError."""
    spec = context.spec
    if spec.nodes is None or spec.devices <= spec.nodes.devices:
        return [], None
    firsts = range(spec.nodes.devices, spec.devices, spec.nodes.devices)
    context.log(f"Waiting for {len(firsts)} other nodes at {spec.nodes.address}")
    host, port = wire.address_of(spec.nodes.address)
    with _listen(host, port) as door:
        admitted = _admit(door, spec, spec.nodes, len(firsts))
    store = _listen(host, 0)
    meeting = Meeting(host, store.getsockname()[1], store.detach())
    nodes = []
    for index, (first, (connection, nonces)) in enumerate(zip(firsts, admitted, strict=True), 1):
        plan = spec.nodes.model_copy(update={"first": first, "meeting_port": meeting.port, "key": ""})
        told = spec.model_copy(update={"nodes": plan}).model_dump_json()
        wire.invite(connection, spec.nodes.key, nonces, told)
        nodes.append(Node(index, first, min(plan.devices, spec.devices - first), connection))
    return nodes, meeting


def _listen(host: str, port: int) -> socket.socket:
    return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)


def _admit(door: socket.socket, spec: RunSpec, plan: NodePlan, count: int) -> list[tuple[socket.socket, str]]:
    door.settimeout(_LOOK_SECONDS)
    until = time.monotonic() + _WAIT_SECONDS
    admitted: list[tuple[socket.socket, str]] = []
    while len(admitted) < count:
        if time.monotonic() > until:
            message = f"Of {count} other nodes, {len(admitted)} came within {_WAIT_SECONDS:.0f} s."
            raise TrainingError("nodes_missing", message, "Look after the worker's other nodes.", permanent=False)
        if (node := _next(door, plan)) is not None:
            admitted.append(node)
    return admitted


def _next(door: socket.socket, plan: NodePlan) -> tuple[socket.socket, str] | None:
    """Who knocks; None when nobody does for a moment, or a stranger."""
    try:
        connection, _ = door.accept()
    except OSError:
        return None
    try:
        return connection, wire.admit(connection, plan.run, plan.key)
    except (OSError, wire.Stranger):
        connection.close()
        return None
