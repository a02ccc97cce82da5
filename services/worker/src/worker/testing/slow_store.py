"""An object store behind a slow link."""

from __future__ import annotations

import time
from typing import Any, BinaryIO

from kargah.ports.object_store import ObjectStore


class SlowStore:
    """Passes everything on to `store`; each upload takes `seconds` longer."""

    def __init__(self, store: ObjectStore, seconds: float) -> None:
        self._store = store
        self._seconds = seconds

    def put_stream(self, key: str, stream: BinaryIO, *, part_size: int = 16 << 20) -> int:
        time.sleep(self._seconds)
        return self._store.put_stream(key, stream, part_size=part_size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)
