"""Free TCP ports on loopback."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack

LOOPBACK = "127.0.0.1"
# Below those that Linux gives to outgoing connections: a server's port would not stay free for long among them.
_SERVERS = range(20_000, 32_000)
_TRIES = 50


def free_port() -> int:
    """A TCP port that nobody listens on now. Another program may take it before its user binds it."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """`count` different free ports: all are held open at once, so none repeats."""
    with ExitStack() as stack:
        return [_bind_any(stack.enter_context(socket.socket())) for _ in range(count)]


def port_is_free(port: int) -> bool:
    """Whether a server could bind `port` on loopback now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _bind_any(probe: socket.socket) -> int:
    for port in random.sample(_SERVERS, _TRIES):
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            continue
        return port
    probe.bind((LOOPBACK, 0))
    given: int = probe.getsockname()[1]
    return given
