"""One server per folder, even when a supervisor was killed and its server still lingers."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

_POLL_SECONDS = 0.05


class FolderInUse(RuntimeError):
    """Another server still works in the folder."""


class FolderLock:
    """A lock that a server's processes inherit (`descriptor`): held until the last of them is gone."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._descriptor: int | None = None

    @property
    def descriptor(self) -> int:
        """The open file to pass to the child. Raises `RuntimeError` when the lock is not held."""
        if self._descriptor is None:
            raise RuntimeError(f"{self._file} is not locked")
        return self._descriptor

    def acquire(self, timeout: float) -> None:
        """Wait up to `timeout` seconds for the folder. No-op when held already. Raises `FolderInUse`."""
        if self._descriptor is not None:
            return
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + timeout
        while not _try_lock(descriptor):
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise FolderInUse(f"another server still works in {self._file.parent}")
            time.sleep(_POLL_SECONDS)
        self._descriptor = descriptor

    def release(self) -> None:
        """Close our end. Not an unlock: processes that inherited the lock keep it while they live."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
