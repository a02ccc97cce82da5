"""Holding an upload while it is checked: the lease is renewed, progress is told, and a lost one ends the work."""

from __future__ import annotations

import threading
from datetime import timedelta
from types import TracebackType
from typing import Self

from dataset_svc.resumable import repository
from dataset_svc.resumable.values import Upload
from kargah.contracts.datasets import DatasetVersionView
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import Conflict, Unavailable
from kargah.telemetry.logging import get_logger
from kargah.web.shutdown import stopping

_BEATS = 5  # in the time of a lease: some may come late
_log = get_logger(__name__)


class Taken(Conflict):
    """The upload was given up, or somebody else checks it by now."""

    code = "taken"


class Hold:
    """`with Hold(engine, upload, lease) as hold:` - a thread renews the lease until the block ends.

    A process that is killed renews nothing, and the upload is somebody else's when the lease is over.
    """

    def __init__(self, engine: Engine, upload: Upload, lease: timedelta) -> None:
        self._engine = engine
        self._upload = upload
        self._lease = lease
        self._bytes = 0
        self._lost = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"hold {upload.id}", daemon=True)

    def on_bytes(self, count: int) -> None:
        """So many more bytes are read. Raises Taken, and Unavailable when this process is to end."""
        self._bytes += count
        if self._lost:
            raise _taken(self._upload)
        if stopping.is_set():
            raise Unavailable("this replica is ending", "the next one goes on")

    def record(self, tx: UnitOfWork, version: DatasetVersionView, is_new: bool) -> None:
        """Within the transaction that makes the version: the upload is done. Raises Taken, which undoes both."""
        if not repository.finish(tx.connection, self._upload, version.id, is_new):
            raise _taken(self._upload)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(timeout=self._lease.total_seconds())

    def _beat(self) -> None:
        while not self._ended.wait(min(1.0, self._lease.total_seconds() / _BEATS)):
            try:
                with UnitOfWork(self._engine) as tx:
                    self._lost = not repository.renew(tx.connection, self._upload, self._lease, self._bytes)
            except Unavailable as error:
                _log.warning("the lease of an upload could not be renewed", upload=self._upload.id, error=str(error))
            if self._lost:
                return


def _taken(upload: Upload) -> Taken:
    return Taken(f"the upload {upload.id} is no longer this replica's")
