"""Free TCP ports on loopback."""

from __future__ import annotations

import socket
from contextlib import ExitStack

LOOPBACK = "127.0.0.1"


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
    probe.bind((LOOPBACK, 0))
    port: int = probe.getsockname()[1]
    return port
