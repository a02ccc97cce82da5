"""From the object store back to disk: the furthest checkpoint that is whole."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kargah.contracts.checkpoints import MANIFEST, Manifest, read_manifest
from kargah.contracts.jobs import StartRef
from kargah.contracts.runs import FileEntry
from kargah.domain.job_state import Cause
from kargah.jobstore.values import StoredCheckpoint
from kargah.ports.object_store import ObjectMissing, ObjectStore
from kargah.telemetry.logging import get_logger
from worker.agent.background import Background
from worker.agent.ledger import AttemptLedger
from worker.agent.uploads import file_problem

_log = get_logger(__name__)


class CheckpointBroken(Exception):
    """Not to be resumed from: `file` is what is wrong."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file
        self.reason = reason


class StartingPointLost(Exception):
    """The checkpoint of another job that this one was to begin with cannot be had."""


@dataclass(frozen=True)
class Restored:
    """A verified checkpoint in `directory`, whose next step is `step` + 1; None and 0 for a start from scratch.

    `broken`: those that had to be passed over, and why.
    """

    directory: Path | None = None
    step: int = 0
    broken: Sequence[tuple[StoredCheckpoint, CheckpointBroken]] = ()


@dataclass(frozen=True)
class Restore:
    """Finds one attempt's starting point."""

    job_id: str
    store: ObjectStore
    ledger: AttemptLedger
    background: Background

    def start(self, start: StartRef, into: Path) -> Restored:
        """Download and verify the other job's checkpoint that this one begins with.

        Raises StartingPointLost, and what `newest_good` does.
        """
        checkpoint = self.ledger.starting_checkpoint(start)
        if checkpoint is None:
            raise StartingPointLost(f"Checkpoint {start.checkpoint_id} of {start.job_id} is gone.")
        try:
            self._fetch(checkpoint, into)
        except CheckpointBroken as problem:
            raise StartingPointLost(f"Checkpoint {start.checkpoint_id} of {start.job_id}: {problem}") from problem
        return Restored(into, checkpoint.step)

    def newest_good(self, into: Path) -> Restored:
        """Download and verify into `into`. A broken checkpoint's row is dropped, so that it counts no more.

        Raises StoreUnavailable, StaleAttempt, Unavailable, Aborted.
        """
        broken: list[tuple[StoredCheckpoint, CheckpointBroken]] = []
        for checkpoint in self.ledger.restorable():
            try:
                self._fetch(checkpoint, into)
            except CheckpointBroken as problem:
                _log.warning("checkpoint is damaged", job_id=self.job_id, step=checkpoint.step, problem=str(problem))
                broken.append((checkpoint, problem))
                self.ledger.drop_checkpoint(checkpoint.id, f"damaged: {problem}", Cause.DAMAGED)
                shutil.rmtree(into, ignore_errors=True)
            else:
                return Restored(into, checkpoint.step, broken)
        return Restored(broken=broken)

    def _fetch(self, checkpoint: StoredCheckpoint, into: Path) -> None:
        manifest = self._manifest(checkpoint)
        for entry in manifest.files:
            self.background.check()
            target = into / entry.path
            target.parent.mkdir(parents=True, exist_ok=True)
            self._get_verified(checkpoint.prefix + entry.path, target, entry)

    def _manifest(self, checkpoint: StoredCheckpoint) -> Manifest:
        try:
            manifest = read_manifest(self.store.get(checkpoint.prefix + MANIFEST))
        except ObjectMissing as error:
            raise CheckpointBroken(MANIFEST, "missing") from error
        except ValueError as error:
            raise CheckpointBroken(MANIFEST, str(error)) from error
        found = (manifest.job_id, manifest.step, manifest.generation)
        if found != (checkpoint.job_id, checkpoint.step, checkpoint.generation):
            raise CheckpointBroken(MANIFEST, f"it is that of {found[0]}, step {found[1]}, attempt {found[2]}")
        return manifest

    def _get_verified(self, key: str, target: Path, entry: FileEntry) -> None:
        """A second download settles whether the object is damaged or only its transfer was."""
        problem: str | None = None
        for _try in range(2):
            try:
                self.store.get_file(key, target)
            except ObjectMissing as error:
                raise CheckpointBroken(entry.path, "missing") from error
            if (problem := file_problem(target, entry)) is None:
                return
        raise CheckpointBroken(entry.path, problem or "unreadable")
