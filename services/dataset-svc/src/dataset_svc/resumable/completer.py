"""Threads that turn uploads whose parts are all there into versions, also those that a killed replica had begun."""

from __future__ import annotations

import threading
from datetime import timedelta

from dataset_svc.checks.streams import Digest
from dataset_svc.datasets.uploads import Staged, Unread, Uploads
from dataset_svc.resumable import repository
from dataset_svc.resumable.hold import Hold, Taken
from dataset_svc.resumable.service import clear_staging, refuse_incomplete
from dataset_svc.resumable.values import Upload
from kargah.contracts.problem import Problem
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import Conflict, DomainError, Unavailable
from kargah.ports.object_store import MultipartStore, ObjectMissing
from kargah.telemetry.logging import get_logger
from kargah.web.errors import problem_of
from kargah.web.shutdown import stopping

LEASE = timedelta(seconds=15)
_POLL_SECONDS = 1.0
_PAUSE = timedelta(seconds=2)
_MOST_TRIES = 20
_log = get_logger(__name__)


class Completer:
    """Checks `at_once` uploads at a time, oldest first. Any number of replicas may do so: each upload is one's."""

    def __init__(
        self, store: MultipartStore, engine: Engine, uploads: Uploads, at_once: int = 1, lease: timedelta = LEASE
    ) -> None:
        self._store = store
        self._engine = engine
        self._uploads = uploads
        self._at_once = at_once
        self._lease = lease
        self._woken = threading.Event()

    def start(self) -> None:
        """Begin; the threads end with the process."""
        for number in range(self._at_once):
            threading.Thread(target=self._run, name=f"completer-{number}", daemon=True).start()

    def wake(self) -> None:
        """There may be something to do."""
        self._woken.set()

    def work(self) -> bool:
        """Check one upload that nobody holds; False when there is none. Raises Unavailable without a database."""
        with UnitOfWork(self._engine) as tx:
            upload = repository.claim(tx.connection, self._lease)
        if upload is None:
            return False
        try:
            self._complete(upload)
        except Taken as error:
            _log.info("an upload is no longer checked here", upload=upload.id, reason=str(error))
        except (Unavailable, ObjectMissing) as error:
            self._try_again(upload, error)
        except DomainError as error:
            self._fail(upload, error)
        except Exception as error:
            # The edge of a background thread: what is not foreseen must neither end it nor be tried for ever.
            _log.error("checking an upload broke off", upload=upload.id, exc_info=error)
            self._try_again(upload, error)
        return True

    def _run(self) -> None:
        while not stopping.is_set():
            try:
                if self.work():
                    continue
            except Unavailable as error:
                _log.warning("uploads cannot be looked for", error=str(error))
            self._woken.wait(_POLL_SECONDS)
            self._woken.clear()

    def _complete(self, upload: Upload) -> None:
        with Hold(self._engine, upload, self._lease) as hold:
            self._assemble(upload)
            unread = Unread(upload.size_bytes, upload.sha256, hold.on_bytes)
            staged = Staged(upload.object_key, Digest(), unread)
            version, _ = self._uploads.add(staged, upload.request, hold.record)
        _log.info("an upload is a version", upload=upload.id, dataset=version.dataset, version=version.version)
        self._clear(upload)

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

    def _try_again(self, upload: Upload, error: Exception) -> None:
        if upload.generation >= _MOST_TRIES:
            message = f"the file could not be checked in {_MOST_TRIES} tries"
            self._fail(upload, Conflict(message, "upload it again, or split it; the service's log has the reason"))
            return
        _log.warning("an upload is checked again later", upload=upload.id, error=str(error))
        pause = timedelta(0) if stopping.is_set() else _PAUSE
        with UnitOfWork(self._engine) as tx:
            repository.let_go(tx.connection, upload, pause)

    def _fail(self, upload: Upload, error: DomainError) -> None:
        problem: Problem = problem_of(error)
        with UnitOfWork(self._engine) as tx:
            failed = repository.fail(tx.connection, upload, problem.model_dump(mode="json"))
        if failed:
            self._clear(upload)

    def _clear(self, upload: Upload) -> None:
        try:
            clear_staging(self._store, upload)
        except Unavailable as error:
            _log.warning("an upload's objects are left to the janitor", upload=upload.id, error=str(error))
