"""An object of the store as a file that can seek: for Parquet, whose table of contents stands at its end."""

from __future__ import annotations

import io
import os

from kargah.ports.object_store import ObjectStore

_LEAST = 1 << 20


class ObjectFile(io.RawIOBase):
    """Reads ranges of the object at `key`, at least 1 MiB at once; asks the store for nothing before the first read."""

    def __init__(self, store: ObjectStore, key: str) -> None:
        super().__init__()
        self._store = store
        self._key = key
        self._size: int | None = None
        self._position = 0
        self._held = (0, b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._length()}[whence]
        self._position = base + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes from the position on, all of them where the object has so many."""
        left = max(0, self._length() - self._position)
        size = left if size < 0 else min(size, left)
        start, data = self._held
        if not start <= self._position <= self._position + size <= start + len(data):
            start, data = self._held = (self._position, self._fetch(max(size, min(_LEAST, left))))
        first = self._position - start
        self._position += size
        return data[first : first + size]

    def _fetch(self, size: int) -> bytes:
        with self._store.open(self._key, offset=self._position, length=size) as stream:
            return stream.read(size)

    def _length(self) -> int:
        if self._size is None:
            self._size = self._store.stat(self._key).size
        return self._size
