"""A TCP proxy on loopback that can be cut: the network between two processes, in a test's hands."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

_RESET = struct.pack("ii", 1, 0)  # linger for no time: closing sends a reset


class Proxy:
    """Forwards every connection to one target while it is `up`; cutting leaves connections open and silent.

    `accepted` counts the connections so far, those that the target refused included.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._up = threading.Event()
        self._up.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.accepted = 0
        self.swallowed = 0
        self._asked = 0
        self._question, self._every = b"", 0
        self._lock = threading.Lock()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """From now on nothing gets through, and nobody is told."""
        self._up.clear()

    def heal(self) -> None:
        """Let everything flow again, what was held back included."""
        self._up.set()

    def sever(self) -> int:
        """Break every open connection, which both sides notice at once; new ones are taken. How many there were."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            for one in pair:
                _reset(one)
        return len(pairs)

    def swallow_answers(self, question: bytes, every: int) -> None:
        """From now on, of the requests with `question` in them each `every`th reaches the target, and its connection
        breaks in place of an answer. `swallowed` counts those."""
        self._question, self._every = question, every

    def close(self) -> None:
        self._up.set()
        _reset(self._listener)
        self.sever()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                self.accepted += 1
                self._up.wait()
                self._join(client)

    def _join(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self._target)
        except OSError:
            return _reset(client)
        with self._lock:
            self._pairs.add((client, server))
        answering = threading.Event()
        answering.set()
        threading.Thread(target=self._pump, args=(client, server, answering), daemon=True).start()
        threading.Thread(target=self._pump_back, args=(server, client, answering), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, answering: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._up.wait()
                if self._to_be_swallowed(data):
                    answering.clear()
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _pump_back(self, source: socket.socket, target: socket.socket, answering: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._up.wait()
                if not answering.is_set():
                    return _reset(target)
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _to_be_swallowed(self, data: bytes) -> bool:
        if not self._every or self._question not in data:
            return False
        with self._lock:
            self._asked += 1
            swallowed = self._asked % self._every == 0
            self.swallowed += swallowed
        return swallowed


def _reset(one: socket.socket) -> None:
    """Wakes whoever reads from it in another thread, too."""
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextlib.contextmanager
def proxy_to(host: str, port: int) -> Iterator[Proxy]:
    """A proxy, closed at the end."""
    proxy = Proxy(host, port)
    try:
        yield proxy
    finally:
        proxy.close()
