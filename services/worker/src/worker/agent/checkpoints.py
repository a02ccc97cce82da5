"""Checkpoints into the object store: files, proof, manifest last, then the fenced row that makes them visible."""

from __future__ import annotations

import shutil
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from kargah.contracts.checkpoints import MANIFEST
from kargah.contracts.runs import CheckpointMessage
from kargah.domain.errors import StaleAttempt, Unavailable
from kargah.jobstore.values import NewCheckpoint
from kargah.ports.object_store import ObjectStore, StoreUnavailable
from kargah.telemetry.logging import get_logger
from worker.agent.background import Aborted, Background
from worker.agent.ledger import AttemptLedger
from worker.agent.manifest import checkpoint_prefix, manifest_of
from worker.agent.metrics import AgentMetrics
from worker.agent.retention import Retention
from worker.agent.uploads import UploadCorrupt, VerifiedUpload

_log = get_logger(__name__)
_PAUSES = (1.0, 4.0)
_REPLACEABLE = frozenset({"interval", "epoch"})
_FAILURES = (StoreUnavailable, Unavailable, UploadCorrupt, OSError, ValueError)


class CheckpointNotStored(Exception):
    """After all tries; the checkpoint before it stays current."""


@dataclass
class CheckpointStorage:
    """Stores one attempt's checkpoints in the background, in order."""

    job_id: str
    generation: int
    store: ObjectStore
    ledger: AttemptLedger
    background: Background
    metrics: AgentMetrics
    _newest: CheckpointMessage | None = None
    _last_stored: int | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def submit(self, message: CheckpointMessage, serves: int | None) -> Future[bool]:
        """Store it soon; whether it was stored (False: a newer one came first). `serves` as in the job store."""
        with self._lock:
            self._newest = message
        return self.background.submit(lambda: self._store(message, serves))

    def _store(self, message: CheckpointMessage, serves: int | None) -> bool:
        folder = Path(message.directory)
        try:
            if serves is None and self._overtaken(message):
                return False
            self._try_often(message, folder, serves)
            Retention(self.job_id, self.generation, self.store, self.ledger).apply()
            return True
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _overtaken(self, message: CheckpointMessage) -> bool:
        """Uploads that lag behind are skipped, so that the disk does not fill up with them."""
        with self._lock:
            return message is not self._newest and message.reason in _REPLACEABLE

    def _try_often(self, message: CheckpointMessage, folder: Path, serves: int | None) -> None:
        for pause in (*_PAUSES, None):
            try:
                return self._upload(message, folder, serves)
            except _FAILURES as error:
                _log.warning("checkpoint not stored", job_id=self.job_id, step=message.step, error=str(error))
                if pause is None:
                    raise CheckpointNotStored(str(error)) from error
                self.background.pause(pause)

    def _upload(self, message: CheckpointMessage, folder: Path, serves: int | None) -> None:
        prefix = checkpoint_prefix(self.job_id, message.step, self.generation)
        if message.step == self._last_stored:  # the same state: only why it is kept changes
            return self._make_visible(message, prefix, serves)
        self._upload_new(message, folder, prefix, serves)
        self._last_stored = message.step

    def _upload_new(self, message: CheckpointMessage, folder: Path, prefix: str, serves: int | None) -> None:
        began = time.monotonic()
        manifest = manifest_of(message, self.job_id, self.generation)
        upload = VerifiedUpload(self.store, self.background)
        try:
            for entry in message.files:
                upload.put(prefix + entry.path, folder, entry)
            self.store.put(prefix + MANIFEST, manifest.model_dump_json().encode())
            self.background.check()
            self._make_visible(message, prefix, serves)
        except (StaleAttempt, Aborted):
            delete_prefix(self.store, prefix)
            raise
        self.metrics.checkpoint_stored(time.monotonic() - began, _size(message))

    def _make_visible(self, message: CheckpointMessage, prefix: str, serves: int | None) -> None:
        new = NewCheckpoint(message.step, message.epoch, _size(message), message.reason, prefix, message.metrics)
        self.ledger.add_checkpoint(new, serves)


def delete_prefix(store: ObjectStore, prefix: str) -> None:
    """Remove what lies under `prefix`, the manifest first; what cannot be removed now is left to a later sweep."""
    try:
        store.delete(prefix + MANIFEST)
        for stat in list(store.list(prefix)):
            store.delete(stat.key)
    except StoreUnavailable as error:
        _log.warning("objects left behind", prefix=prefix, error=str(error))


def _size(message: CheckpointMessage) -> int:
    return sum(entry.size_bytes for entry in message.files)
