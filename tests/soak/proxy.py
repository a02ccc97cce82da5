"""A TCP proxy that can fail: it breaks connections, refuses them, holds every byte back, or answers for the server."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from typing import Any

_CHUNK = 1 << 16
_RESET = struct.pack("ii", 1, 0)  # closing with a linger time of zero sends a reset
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]
_XML = '<?xml version="1.0"?><Error><Code>{code}</Code><Message>as the campaign wants it</Message></Error>'
_CODES = {500: "InternalError", 503: "ServiceUnavailable"}


class ProxyThread:
    """The thread in which all proxies of a campaign live."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._listeners: list[asyncio.Server] = []
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxies", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run `work` there and wait for its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)

    def close(self) -> None:
        """End it; every connection breaks."""
        self.run(self._end_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def listen(self, serve: Serve) -> int:
        """The port on which `serve` takes connections from now on. To be run in the thread."""
        listener = await asyncio.start_server(serve, "127.0.0.1", 0)
        self._listeners.append(listener)
        port: int = listener.sockets[0].getsockname()[1]
        return port

    async def _end_all(self) -> None:
        for listener in self._listeners:
            listener.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # transports close their sockets in the loop's next round


class FaultProxy:
    """Forwards connections to 127.0.0.1:`target`. `mode` is what happens to them from now on:

    `pass`; `stall` holds every byte back, and lets it go when the mode changes; `reset` breaks a connection at the
    next byte; `refuse` breaks new ones; `500` and `503` answer that instead of the (HTTP) server.
    """

    def __init__(self, thread: ProxyThread, target: int) -> None:
        self._thread = thread
        self._target = target
        self._mode = "pass"
        self._writers: set[asyncio.StreamWriter] = set()
        self._flowing: asyncio.Event
        self.struck = 0
        self.port: int = thread.run(self._start())

    @property
    def connections(self) -> int:
        """How many are open now."""
        return len(self._writers) // 2

    def set_mode(self, mode: str) -> None:
        self._thread.run(self._set_mode(mode))

    def cut(self) -> int:
        """Break every open connection at once; how many there were."""
        found: int = self._thread.run(self._cut())
        return found

    async def _start(self) -> int:
        self._flowing = asyncio.Event()
        self._flowing.set()
        return await self._thread.listen(self._serve)

    async def _set_mode(self, mode: str) -> None:
        self._mode = mode
        if mode == "stall":
            self._flowing.clear()
        else:
            self._flowing.set()

    async def _cut(self) -> int:
        found = self.connections
        for writer in self._writers:
            _break(writer)
        return found

    async def _serve(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        if self._mode == "refuse":
            self.struck += 1
            return _break(client)
        try:
            answers, server = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            return _break(client)
        pair = {client, server}
        self._writers |= pair
        try:
            await asyncio.gather(self._pump(reader, server, client), self._pump(answers, client, None))
        except OSError:
            pass  # broken on purpose, or by one of the two
        finally:
            self._writers -= pair
            for writer in pair:
                writer.close()

    async def _pump(
        self, reader: asyncio.StreamReader, target: asyncio.StreamWriter, client: asyncio.StreamWriter | None
    ) -> None:
        """Until the end of what `reader` gives. `client` is given on the way to the server."""
        while data := await reader.read(_CHUNK):
            if self._mode == "stall":
                self.struck += 1
                await self._flowing.wait()
            if self._mode == "reset":
                self.struck += 1
                _break(target)
                raise ConnectionResetError
            if client is not None and self._mode in ("500", "503"):
                await self._answer(client, int(self._mode))
                raise ConnectionResetError
            target.write(data)
            await target.drain()
        target.close()

    async def _answer(self, client: asyncio.StreamWriter, status: int) -> None:
        self.struck += 1
        body = _XML.format(code=_CODES[status]).encode()
        head = f"HTTP/1.1 {status} Faulty\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n"
        client.write(f"{head}Connection: close\r\n\r\n".encode() + body)
        await client.drain()


def _break(writer: asyncio.StreamWriter) -> None:
    link = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
