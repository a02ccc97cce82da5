"""The versions' objects in the store: named by content, shared between versions, removed when the last one goes.

They lie under a prefix of their own: a model may well hold the same bytes as a dataset (a vocabulary, say), and
neither service may remove what the other needs.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from dataset_svc.datasets import repository
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.scope import EVERY, project_scope
from kargah.ports.object_store import ObjectMissing, ObjectStore
from kargah.telemetry.logging import get_logger

PREFIX = "datasets/"
STAGING = "staging/"
_LEFTOVER_AGE = timedelta(days=1)
_log = get_logger(__name__)


def object_key(digest: str) -> str:
    """Where the bytes of that sha256 lie."""
    return f"{PREFIX}{digest}"


def holds(store: ObjectStore, digest: str, size: int) -> bool:
    """Whether the object is there in its full size."""
    try:
        return store.stat(object_key(digest)).size == size
    except ObjectMissing:
        return False


def release(store: ObjectStore, engine: Engine, digests: Sequence[str]) -> int:
    """Remove those of the objects that no version of any project refers to; how many went.

    The lock is held around the one call to the store: a version of the same content recorded at the same time either
    sees the object before, and keeps it, or finds it gone and stores it again.
    """
    gone = 0
    for digest in digests:
        with project_scope(EVERY), UnitOfWork(engine) as tx:
            repository.lock_objects(tx.connection, [digest])
            if not repository.is_referred_to(tx.connection, digest):
                store.delete(object_key(digest))
                gone += 1
    return gone


def sweep(
    store: ObjectStore,
    engine: Engine,
    now: datetime | None = None,
    *,
    age: timedelta = _LEFTOVER_AGE,
    spared: Collection[str] = (),
) -> int:
    """Remove what broken uploads and deletions left behind, once it is of that `age`; how many objects went.

    Nothing goes from the folders `spared` under `staging/`: an upload that waits there is still to be checked.
    """
    oldest = (now or datetime.now(UTC)) - age
    gone = 0
    for leftover in store.list(STAGING):
        if leftover.modified_at < oldest and leftover.key.rpartition("/")[0] + "/" not in spared:
            store.delete(leftover.key)
            gone += 1
    digests = [found.key.removeprefix(PREFIX) for found in store.list(PREFIX) if found.modified_at < oldest]
    with project_scope(EVERY), UnitOfWork(engine) as tx:
        orphans = [digest for digest in digests if not repository.is_referred_to(tx.connection, digest)]
    gone += release(store, engine, orphans)
    if gone:
        _log.info("leftovers removed", objects=gone)
    return gone
