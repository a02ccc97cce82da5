"""Which checkpoints stay: the newest two, the best, and those that are pinned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kargah.domain.errors import Unavailable
from kargah.jobstore.values import StoredCheckpoint
from kargah.ports.object_store import ObjectStore
from kargah.telemetry.logging import get_logger
from worker.agent.ledger import AttemptLedger
from worker.agent.manifest import checkpoints_root

_log = get_logger(__name__)
_NEWEST = 2
_BEST_BY = "eval_loss"


def kept(checkpoints: Sequence[StoredCheckpoint]) -> set[str]:
    """Ids of those that stay; `checkpoints` from the furthest to the earliest. The best has the lowest eval loss."""
    keep = {checkpoint.id for checkpoint in checkpoints[:_NEWEST]}
    keep |= {checkpoint.id for checkpoint in checkpoints if checkpoint.pinned}
    measured = [checkpoint for checkpoint in checkpoints if _BEST_BY in checkpoint.metrics]
    if measured:
        keep.add(min(measured, key=lambda checkpoint: checkpoint.metrics[_BEST_BY]).id)
    return keep


@dataclass(frozen=True)
class Retention:
    """Removes the rest of one job's checkpoints: the row first, so that nobody restores what is being deleted."""

    job_id: str
    generation: int
    store: ObjectStore
    ledger: AttemptLedger

    def apply(self) -> None:
        """Failing to tidy up is no failure of the checkpoint: it is logged and done again after the next one."""
        try:
            self._apply()
        except Unavailable as error:
            _log.warning("old checkpoints not removed", job_id=self.job_id, error=str(error))

    def _apply(self) -> None:
        checkpoints = self.ledger.restorable()
        keep = kept(checkpoints)
        for checkpoint in checkpoints:
            if checkpoint.id not in keep:
                self.ledger.drop_checkpoint(checkpoint.id, "superseded")
        self._sweep({checkpoint.prefix for checkpoint in checkpoints if checkpoint.id in keep})

    def _sweep(self, prefixes: set[str]) -> None:
        """Delete the objects of every other checkpoint of this and earlier attempts, torn uploads included."""
        root = checkpoints_root(self.job_id)
        for stat in list(self.store.list(root)):
            prefix = root + stat.key.removeprefix(root).partition("/")[0] + "/"
            if prefix not in prefixes and _generation(prefix) <= self.generation:
                self.store.delete(stat.key)


def _generation(prefix: str) -> int:
    """Of a key's `<step>-<generation>/`. A form nobody writes counts as a later one's, and stays."""
    digits = prefix.rstrip("/").rpartition("-")[2]
    return int(digits) if digits.isdecimal() else 1 << 62
