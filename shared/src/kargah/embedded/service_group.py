"""The service processes of a stack: started, watched and stopped together."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from kargah.embedded.pauses import Pauses
from kargah.embedded.process import ManagedProcess
from kargah.embedded.readiness import is_ready
from kargah.embedded.topology import Service

_READY_SECONDS = 120.0
_STOP_SECONDS = 20.0  # a worker may need its grace of 15 s to save a checkpoint


class ServiceGroup:
    """Processes of `services`; logs and scratch folders go below `data_dir`."""

    def __init__(self, data_dir: Path, services: Sequence[Service]) -> None:
        self.data_dir = data_dir
        self.services = services
        self._processes: dict[str, ManagedProcess] = {}
        self._pauses = Pauses()

    def start(self) -> None:
        """Start all, return once all are ready. Raises ProcessFailed with the log of the one that is not."""
        for service in self.services:
            (self.data_dir / service.name).mkdir(parents=True, exist_ok=True)
            self._processes[service.name] = ManagedProcess(service.command(self.data_dir))
        for service in self.services:
            self._processes[service.name].wait_ready(_readiness(service.port), _READY_SECONDS)

    def pid(self, name: str) -> int:
        """The process id of a service."""
        return self._processes[name].pid

    def revive(self) -> list[str]:
        """Start again what has ended, with a pause that grows for what ends again and again; the names of those."""
        ended = [service for service in self.services if not self._processes[service.name].alive()]
        due = [service for service in ended if self._pauses.due(service.name)]
        for service in due:
            self._processes[service.name] = ManagedProcess(service.command(self.data_dir))
        return [service.name for service in due]

    def stop(self) -> None:
        """Ask all at once, so that each has the whole grace, then wait; safe to repeat."""
        for process in self._processes.values():
            if process.alive():
                os.kill(process.pid, signal.SIGTERM)
        for process in self._processes.values():
            process.stop(_STOP_SECONDS)
        self._processes.clear()


def _readiness(port: int) -> Callable[[], bool]:
    return lambda: is_ready(port)
