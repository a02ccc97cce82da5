"""Turns uploads whose parts are all there into versions."""

from __future__ import annotations

from datetime import timedelta

from dataset_svc.background.hold import Hold
from dataset_svc.background.workers import LEASE, Workers
from dataset_svc.checks.streams import Digest
from dataset_svc.datasets.uploads import Staged, Unread, Uploads
from dataset_svc.resumable import repository
from dataset_svc.resumable.service import clear_staging, refuse_incomplete
from dataset_svc.resumable.values import Upload
from kargah.contracts.datasets import DatasetVersionView
from kargah.db.engine import Connection, Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import Conflict
from kargah.ports.object_store import MultipartStore, ObjectMissing
from kargah.telemetry.logging import get_logger

_log = get_logger(__name__)


def completer(
    store: MultipartStore, engine: Engine, uploads: Uploads, at_once: int = 1, lease: timedelta = LEASE
) -> Workers[Upload]:
    """Workers that check `at_once` uploads at a time."""
    return Workers(engine, Completion(store, uploads), at_once, lease)


class Completion:
    """The craft of it: the parts become an object, its rows are checked, and the version is recorded."""

    claim = staticmethod(repository.claim)
    let_go = staticmethod(repository.let_go)
    fail = staticmethod(repository.fail)

    def __init__(self, store: MultipartStore, uploads: Uploads) -> None:
        self._store = store
        self._uploads = uploads

    def renew(self, conn: Connection, task: Upload, lease: timedelta, done_bytes: int) -> bool:
        """Hold it longer and tell how far it is."""
        return repository.renew(conn, task, lease, done_bytes)

    def do(self, task: Upload, hold: Hold) -> None:
        """Check it; the version appears in the transaction in which the upload is done."""

        def record(tx: UnitOfWork, version: DatasetVersionView, is_new: bool) -> None:
            if not repository.finish(tx.connection, task, version.id, is_new):
                raise hold.taken()

        self._assemble(task)
        unread = Unread(task.size_bytes, task.sha256, hold.on_bytes)
        staged = Staged(task.object_key, Digest(), unread)
        version, _ = self._uploads.add(staged, task.request, record)
        _log.info("an upload is a version", upload=task.id, dataset=version.dataset, version=version.version)

    def clear(self, task: Upload) -> None:
        """Remove the file as it was sent."""
        clear_staging(self._store, task)

    def _assemble(self, upload: Upload) -> None:
        """The object of the parts, unless a replica that did not get further has made it already."""
        try:
            parts = self._store.parts(upload.object_key, upload.multipart_id)
        except ObjectMissing:
            parts = []
        if parts:
            refuse_incomplete(upload, parts)
            self._store.finish_multipart(upload.object_key, upload.multipart_id, parts)
        elif self._store.stat(upload.object_key).size != upload.size_bytes:
            raise Conflict("the object in the store has another size than the file", "upload it again")
