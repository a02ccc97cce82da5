"""The agent shows itself: every few seconds it writes into the database that it is there, and on which job."""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from kargah.contracts.jobs import RecipeView
from kargah.domain.errors import Unavailable
from kargah.domain.queue_policy import MOST_DEVICES
from kargah.jobstore.values import Claim
from kargah.telemetry.logging import get_logger
from worker.agent.config import inherited_environment, visible_gpus
from worker.agent.ledger import AttemptLedger, Ledger

_log = get_logger(__name__)
_EVERY_SECONDS = 5.0
_CLOSE_SECONDS = 2.0
_NVIDIA = Path("/proc/driver/nvidia/gpus")


class Guestbook(Protocol):
    """Where a worker writes itself down. Both raise Unavailable."""

    def announce(self, device: Mapping[str, Any], job_id: str | None, *, first: bool) -> None: ...

    def leave(self) -> None: ...


class Presence:
    """A thread that announces this worker, at once when its job changes. Nothing waits for it, and a database that
    does not answer costs only the row's freshness."""

    def __init__(self, book: Guestbook, device: Mapping[str, Any], every_seconds: float = _EVERY_SECONDS) -> None:
        self._book = book
        self._device = device
        self._every = every_seconds
        self._job_id: str | None = None
        self._known = False
        self._ended = False
        self._changed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def works_on(self, job_id: str | None) -> None:
        """From now on it is this job, or none. Any thread may call it."""
        if job_id != self._job_id:
            self._job_id = job_id
            self._changed.set()

    def close(self) -> None:
        """End the thread and take the row away; where the database hangs, both are left behind."""
        self._ended = True
        self._changed.set()
        self._thread.join(_CLOSE_SECONDS)
        if self._thread.is_alive():
            return  # the database is out of reach; the row fades by itself
        try:
            self._book.leave()
        except Unavailable as error:
            _log.warning("could not sign off; the row fades by itself", error=str(error))

    def _run(self) -> None:
        while not self._ended:
            self._changed.clear()
            self._announce()
            self._changed.wait(self._every)

    def _announce(self) -> None:
        try:
            self._book.announce(self._device, self._job_id, first=not self._known)
            self._known = True
        except Unavailable as error:
            _log.warning("could not announce this worker", error=str(error))


@dataclass(frozen=True)
class ShownLedger:
    """A ledger whose claims are shown: between two of them the agent works on what the first one gave."""

    ledger: Ledger
    presence: Presence

    def claim(self) -> Claim | None:
        self.presence.works_on(None)
        claim = self.ledger.claim()
        self.presence.works_on(None if claim is None else claim.job_id)
        return claim

    def publish(self, recipes: Sequence[RecipeView]) -> None:
        self.ledger.publish(recipes)

    def attempt(self, claim: Claim) -> AttemptLedger:
        return self.ledger.attempt(claim)


def device_facts(threads: int, nvidia: Path = _NVIDIA, devices: int = 0) -> dict[str, Any]:
    """What can be told without loading torch: CPUs, threads that are used, memory in bytes, names of NVIDIA GPUs, and
    `devices`, how many a job may ask for: given, or the GPUs that may be used, or the threads."""
    gpus = [name for card in sorted(nvidia.glob("*/information")) if (name := _model(card))]
    usable = visible_gpus(len(gpus), inherited_environment()) or threads
    return {
        "machine": platform.machine(),
        "cpus": os.cpu_count() or 1,
        "threads": threads,
        "memoryBytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "gpus": gpus,
        "devices": min(devices or usable, MOST_DEVICES),
    }


def _model(information: Path) -> str | None:
    try:
        lines = information.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() == "Model":
            return value.strip()
    return None
