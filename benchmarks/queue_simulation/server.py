"""A Postgres of our own to measure on, with its disk writes on, and what it spends."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kargah.db.migrate import migrate
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.embedded.postgres_roles import ensure_roles

_PASSWORD = "only-for-measuring"
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Server:
    """`url` is the gateway's."""

    postgres: EmbeddedPostgres
    url: str

    def cpu_seconds(self) -> float:
        """What the server's processes have computed so far, ended ones included."""
        postmaster = self.postgres.pid
        total = sum(_ticks(postmaster, slice(11, 15)))  # its own time and that of its ended children
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal() and _parent(int(entry.name)) == postmaster:
                total += sum(_ticks(int(entry.name), slice(11, 13)))
        return total / _TICK


@contextmanager
def measured_server() -> Iterator[Server]:
    """A migrated database with Postgres' own settings (each commit reaches the disk), removed at the end."""
    with tempfile.TemporaryDirectory(prefix="kargah-queue-") as name:
        Path(name).chmod(0o711)
        with EmbeddedPostgres(Path(name)) as postgres:
            ensure_roles(postgres.superuser_dsn, "queue", {"gateway": _PASSWORD})
            url = postgres.dsn("queue", "gateway", _PASSWORD)
            migrate(url, "gateway")
            yield Server(postgres, url)


def _fields(pid: int) -> list[str]:
    """Of /proc/<pid>/stat after the name in brackets; empty once the process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _ticks(pid: int, which: slice) -> list[int]:
    return [int(field) for field in _fields(pid)[which]]


def _parent(pid: int) -> int:
    fields = _fields(pid)
    return int(fields[1]) if fields else 0
