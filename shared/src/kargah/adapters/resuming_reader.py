"""Read an object to its end even when the connection breaks on the way."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Protocol

from urllib3.exceptions import HTTPError

from kargah.ports.object_store import StoreUnavailable

_TRIES = 4


class Body(Protocol):
    """What one GET answers with: urllib3's response, in short."""

    def read(self, amt: int | None = None) -> bytes: ...

    def close(self) -> None: ...

    def release_conn(self) -> None: ...


class ResumingReader(io.RawIOBase):
    """A stream over `open_at(position)`, asked again from where it broke; every byte read renews the tries.

    `open_at` answers None at the object's end. It must make sure that it reads the same object each time.
    """

    def __init__(self, open_at: Callable[[int], Body | None], length: int) -> None:
        super().__init__()
        self._open_at = open_at
        self._length = length
        self._position = 0
        self._body: Body | None = None
        self._failures = 0

    def readable(self) -> bool:
        """True: this is all it does."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed allows any buffer
        """Fill `buffer` in part; 0 at the end. Raises `StoreUnavailable` when it breaks too often."""
        wanted = min(len(buffer), self._length - self._position)
        if wanted == 0:
            return 0
        while not (data := self._attempt(wanted)):
            self._failures += 1
            if self._failures >= _TRIES:
                raise StoreUnavailable(f"reading broke off {_TRIES} times at byte {self._position}")
        self._failures = 0
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def close(self) -> None:
        """Give the connection back; what was not read is dropped with it."""
        self._drop()
        super().close()

    def _attempt(self, wanted: int) -> bytes:
        """Some bytes; none when the connection broke, or ended before the object did."""
        try:
            if self._body is None:
                self._body = self._open_at(self._position)
            data = b"" if self._body is None else self._body.read(wanted)
        except HTTPError:
            data = b""
        if not data:
            self._drop()
        return data

    def _drop(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body.release_conn()
            self._body = None
