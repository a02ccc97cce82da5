"""A small disk that a test can fill and free."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_MEGABYTES = 64
_CHUNK = 1 << 16
_SMALLEST_FILE = 1 << 10


@dataclass(frozen=True)
class Disk:
    """A file system of 64 MB at `folder`. Where mounting is not allowed, the limit that the kernel keeps on the size
    of a process's files stands in: writes then fail in the same places, with "file too large"."""

    folder: Path
    mounted: bool

    def fill(self, writer: int) -> None:
        """From now on `writer`, a pid, can write no more."""
        if self.mounted:
            self._write_until_full()
        else:
            self._limit(writer, _SMALLEST_FILE)

    def free(self, writer: int) -> None:
        """Room again."""
        if self.mounted:
            (self.folder / "filler").unlink()
        else:
            self._limit(writer, resource.RLIM_INFINITY)

    def _write_until_full(self) -> None:
        with (self.folder / "filler").open("wb", buffering=0) as filler:
            try:
                while filler.write(b"\0" * _CHUNK):
                    continue
            except OSError:
                return

    def _limit(self, writer: int, size: int) -> None:
        _soft, hard = resource.prlimit(writer, resource.RLIMIT_FSIZE)
        resource.prlimit(writer, resource.RLIMIT_FSIZE, (size, hard))


@contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    """Mounted at `folder`, if that may be, until the block ends."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_MEGABYTES}m", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield Disk(folder, mounted)
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
