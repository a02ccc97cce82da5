"""What uploads in parts leave behind when their senders, or this service, or a worker, break off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dataset_svc.changes import repository as changes
from dataset_svc.resumable import repository
from dataset_svc.resumable.service import ResumableUploads
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.ports.object_store import MultipartStore

_KEPT = timedelta(days=7)
"""How long an upload, a repair or a split that ended can be asked about."""


def give_up_silent(uploads: ResumableUploads, engine: Engine, silent: timedelta) -> int:
    """Remove uploads that nobody goes on with, and forget those that ended long ago; how many. Repairs and splits that
    ended long ago are forgotten too."""
    with UnitOfWork(engine) as tx:
        stale = repository.give_up_stale(tx.connection, silent, _KEPT)
        changes.forget(tx.connection, _KEPT)
    for upload in stale:
        uploads.clear(upload)
    return len(stale)


def abort_strays(store: MultipartStore, engine: Engine, age: timedelta, now: datetime | None = None) -> int:
    """Abort what is under way in the bucket for longer than `age` and is no upload's that goes on; how many.

    Whoever began them: a worker that was killed while it stored a checkpoint leaves such parts as well, and nothing
    else would ever remove them.
    """
    oldest = (now or datetime.now(UTC)) - age
    under_way = [one for one in store.multiparts("") if one.begun_at < oldest]
    with UnitOfWork(engine) as tx:
        live = {multipart_id for _, multipart_id in repository.live(tx.connection)}
    strays = [one for one in under_way if one.upload_id not in live]
    for stray in strays:
        store.abort_multipart(stray.key, stray.upload_id)
    return len(strays)


def live_folders(engine: Engine) -> set[str]:
    """The folders under `staging/` whose objects are still needed, whatever their age."""
    with UnitOfWork(engine) as tx:
        return {key.rpartition("/")[0] + "/" for key, _ in repository.live(tx.connection)}
