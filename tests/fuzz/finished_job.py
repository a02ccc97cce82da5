"""A job that has been trained, as a worker would leave it: there is something to be seen of it."""

from __future__ import annotations

import hashlib

from kargah.contracts.checkpoints import MANIFEST, Manifest
from kargah.contracts.runs import FileEntry
from kargah.domain.job_state import Status
from kargah.jobstore import attempt_repository
from kargah.jobstore.values import Batch, EventEntry, LogEntry, MetricValue, NewCheckpoint
from kargah.ports.object_store import ObjectStore
from kargah.testing.jobs import JobBench

FILE = "state.json"
_DATA = b'{"step": 2}'
_STEP = 2


def finish_next(bench: JobBench, store: ObjectStore) -> str:
    """Take the first waiting job and complete it, with metrics, lines of its log, and a checkpoint: that one's id."""
    claim = bench.claim()
    assert claim is not None, "no job waits"
    job_id, attempt = claim.job_id, claim.generation
    points = [MetricValue(step, "loss", 1.0 / step) for step in (1, _STEP)]
    lines = [LogEntry("info", "گام ۱"), LogEntry("warning", "slow")]
    events = [EventEntry("sample", {"prompt": "سلام", "answer": "خوبم"})]
    report = Batch(Status.TRAINING, {"step": _STEP, "total_steps": _STEP}, points, lines, events, resumed_at_step=0)
    bench.do(attempt_repository.record, job_id, attempt, report)
    checkpoint_id = bench.do(attempt_repository.commit_checkpoint, job_id, attempt, _stored(store, job_id, attempt))
    bench.do(attempt_repository.finish, job_id, attempt, {"metrics": {"loss": 0.5}})
    return checkpoint_id


def _stored(store: ObjectStore, job_id: str, attempt: int) -> NewCheckpoint:
    prefix = f"jobs/{job_id}/checkpoints/{_STEP:09d}-{attempt}/"
    entry = FileEntry(path=FILE, size_bytes=len(_DATA), sha256=hashlib.sha256(_DATA).hexdigest())
    manifest = Manifest(job_id=job_id, step=_STEP, generation=attempt, epoch=1.0, files=[entry])
    store.put(prefix + FILE, _DATA)
    store.put(prefix + MANIFEST, manifest.model_dump_json().encode())
    return NewCheckpoint(_STEP, 1.0, len(_DATA), "interval", prefix)
