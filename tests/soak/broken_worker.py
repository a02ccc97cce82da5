"""`python -m tests.soak.broken_worker`: the agent with one safeguard taken out. For negative controls only.

Which one is named by `SOAK_BREAKAGE`.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select, update

from kargah.adapters import amqp_bell
from kargah.contracts.checkpoints import MANIFEST
from kargah.contracts.runs import CheckpointMessage, FileEntry
from kargah.domain.errors import StaleAttempt
from kargah.domain.job_state import ACTIVE, Desired, Status
from kargah.jobstore import attempt_repository
from kargah.jobstore.tables import jobs
from kargah.jobstore.values import Orders
from kargah.ports.object_store import ObjectMissing
from worker.agent import main as agent
from worker.agent.checkpoints import CheckpointStorage
from worker.agent.keeper import LeaseKeeper
from worker.agent.loop import AgentLoop
from worker.agent.manifest import manifest_of
from worker.agent.restore import Restore
from worker.agent.uploads import VerifiedUpload

_LARGE_UPLOAD_SECONDS = 0.5  # what the files of a checkpoint take that is no toy


def _without_fence() -> None:
    """Any attempt counts as the job's own, for ever."""
    attempt_repository._own = _anybodys
    attempt_repository.heartbeat = _blind_heartbeat
    LeaseKeeper._guard = lambda keeper: None  # type: ignore[assignment]


def _anybodys(conn: Connection, job_id: str, generation: int) -> Any:
    row = conn.execute(select(jobs).where(jobs.c.id == job_id).with_for_update()).one_or_none()
    if row is None:
        raise StaleAttempt(f"{job_id} is gone")
    return row


def _blind_heartbeat(conn: Connection, job_id: str, generation: int, lease_seconds: float) -> Orders:
    row = _anybodys(conn, job_id, generation)
    if Status(row.status) in ACTIVE:
        lease_until = func.now() + timedelta(seconds=lease_seconds)
        conn.execute(update(jobs).where(jobs.c.id == job_id).values(lease_until=lease_until))
    return Orders(Desired(row.desired), None)


def _manifest_first() -> None:
    """The checkpoint is there to be seen before its files are, and nobody looks closely later."""
    CheckpointStorage._upload_new = _upload_backwards  # type: ignore[assignment]
    _without_verify()


def _upload_backwards(
    storage: CheckpointStorage, message: CheckpointMessage, folder: Path, prefix: str, serves: int | None
) -> None:
    manifest = manifest_of(message, storage.job_id, storage.generation)
    storage.store.put(prefix + MANIFEST, manifest.model_dump_json().encode())
    storage._make_visible(message, prefix, serves)
    storage.background.pause(_LARGE_UPLOAD_SECONDS)
    upload = VerifiedUpload(storage.store, storage.background)
    for entry in message.files:
        upload.put(prefix + entry.path, folder, entry)


def _without_verify() -> None:
    """What the store gives is taken; what it lacks is left out."""
    Restore._get_verified = _take_as_it_comes  # type: ignore[assignment]


def _take_as_it_comes(restore: Restore, key: str, target: Path, entry: FileEntry) -> None:
    try:
        restore.store.get_file(key, target)
    except ObjectMissing:
        return


def _ack_late() -> None:
    """The classic worker: a message starts a job, and is acknowledged when the job is over."""
    idle = threading.Event()
    amqp_bell.AmqpBellListener._hear = _held(idle)  # type: ignore[assignment]
    AgentLoop.run = _work_only_when_rung(idle)  # type: ignore[assignment]


def _held(idle: threading.Event) -> Callable[[Any, str], None]:
    def hear(listener: Any, job_id: str) -> None:
        idle.clear()
        listener._rang.set()
        idle.wait()  # dramatiq acknowledges when this returns

    return hear


def _work_only_when_rung(idle: threading.Event) -> Callable[[AgentLoop], None]:
    def run(loop: AgentLoop) -> None:
        while not loop.tools.drain.wanted:
            loop.tools.launcher.warm_up()
            if loop.listener.wait(0.25):
                _claim_until_answered(loop)
                idle.set()

    return run


def _claim_until_answered(loop: AgentLoop) -> None:
    """One message, one job: the database's absence is waited out."""
    for _ in range(3):
        if loop._claim_and_work():
            return
        time.sleep(0.3)


_BREAKAGES: Mapping[str, Callable[[], None]] = {
    "without-fence": _without_fence,
    "manifest-first": _manifest_first,
    "ack-late": _ack_late,
    "without-verify": _without_verify,
}

if __name__ == "__main__":
    _BREAKAGES[os.environ["SOAK_BREAKAGE"]]()
    raise SystemExit(agent.main())
