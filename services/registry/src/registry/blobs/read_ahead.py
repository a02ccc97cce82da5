"""Reading on while what was read is still being stored: the sender and the store work at the same time."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import closing, contextmanager
from queue import Empty, Queue
from typing import BinaryIO

from registry.blobs.pieces import buffered

_PIECE = 512 << 10
_PIECES = 32
_END = b""


@contextmanager
def read_ahead(source: BinaryIO) -> Generator[BinaryIO, None, None]:
    """`source`, read by a thread of its own, which keeps 16 MiB at most. What reading raises is raised in its place."""
    ahead = _Ahead(source)
    ahead.thread.start()
    try:
        with closing(buffered(ahead.pieces())) as stream:
            yield stream
    finally:
        ahead.stop()


class _Ahead:
    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._queue: Queue[bytes | BaseException] = Queue(_PIECES)
        self._stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, name="read-ahead", daemon=True)

    def pieces(self) -> Generator[bytes, None, None]:
        while (found := self._queue.get()) != _END:
            if isinstance(found, BaseException):
                raise found
            yield found

    def stop(self) -> None:
        """Whoever reads on in the source does so after the thread has."""
        self._stopped.set()
        while self.thread.is_alive():
            try:
                self._queue.get(timeout=0.05)
            except Empty:
                continue
        self.thread.join()

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                data = self._source.read(_PIECE)
                self._queue.put(data)
                if not data:
                    return
        except BaseException as error:  # the edge of a thread: raised again in the one that reads
            self._queue.put(error)
