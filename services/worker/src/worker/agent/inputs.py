"""What a job works on, brought to this machine: base model, dataset rows, the checkpoint to go on from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kargah.contracts.datasets import DatasetLocation
from kargah.contracts.jobs import ModelRef
from kargah.contracts.models import ModelLocation
from kargah.jobstore.values import Claim
from kargah.ports.object_store import ObjectStore
from worker.agent.background import Background
from worker.agent.peers import Peers
from worker.agent.restore import Restore, Restored
from worker.fetch import FetchedModel, fetch_blob, fetch_with_base


@dataclass(frozen=True)
class Inputs:
    """Everything local and verified. `facts` (flat) goes into the model card, `lineage` into the new version."""

    model: FetchedModel | None = None
    dataset: DatasetLocation | None = None
    dataset_path: Path | None = None
    splits_path: Path | None = None
    restored: Restored = field(default_factory=Restored)
    facts: dict[str, Any] = field(default_factory=dict)
    lineage: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class InputFetcher:
    """Runs in the background thread. Raises PeerRefused, BlobCorrupt, ObjectMissing, StoreUnavailable,
    Unavailable, StaleAttempt, StartingPointLost, OSError, Aborted."""

    claim: Claim
    store: ObjectStore
    peers: Peers
    restore: Restore
    background: Background
    cache_dir: Path
    work_dir: Path

    def fetch(self) -> Inputs:
        config = self.claim.config
        facts: dict[str, Any] = {"name": self.claim.name, "output_model": config.output_model}
        lineage: dict[str, Any] = {}
        model, dataset, path, splits = None, None, None, None
        if config.base_model is not None:
            location, model = self._model(config.base_model)
            root = location.base or location
            facts |= {"base_model": root.version.model, "base_model_version": root.version.version}
            facts |= {"license": location.version.facts.license or root.version.facts.license}
            facts |= {"model": location.version.model, "model_version": location.version.version}
            lineage |= model_lineage(location)
        if config.dataset is not None:
            dataset = self.peers.dataset_location(config.dataset)
            path = self._object(dataset, dataset.version.sha256, dataset.size_bytes)
            if (given := dataset.version.splits) is not None:
                splits = self._object(dataset, given.sha256, dataset.version.stats.rows)
            facts |= {"dataset": dataset.version.dataset, "dataset_version": dataset.version.version}
            lineage |= _dataset_lineage(dataset)
        restored = self._restored()
        return Inputs(model, dataset, path, splits, restored, facts, lineage)

    def _restored(self) -> Restored:
        """Its own progress, or else what it begins with."""
        into, start = self.work_dir / "resume", self.claim.config.start
        restored = self.restore.newest_good(into)
        if restored.directory is not None or start is None:
            return restored
        return replace(self.restore.start(start, into), broken=restored.broken)

    def _model(self, ref: ModelRef) -> tuple[ModelLocation, FetchedModel]:
        location = self.peers.model_location(ref)
        into = self.work_dir / "inputs"
        fetched = fetch_with_base(location, self.store, self.cache_dir, into, on_bytes=self.background.check)
        return location, fetched

    def _object(self, location: DatasetLocation, sha256: str, size_bytes: int) -> Path:
        """One of a dataset version's objects; all lie side by side."""
        prefix = location.key.removesuffix(location.version.sha256)
        check = self.background.check
        return fetch_blob(self.store, sha256, size_bytes, self.cache_dir, prefix=prefix, on_bytes=check)


def model_lineage(location: ModelLocation) -> dict[str, Any]:
    """Where a result comes from. Training an adapter further makes a new adapter of the same base: that base is
    `base_version_id`, and the adapter is the `parent_version_id`."""
    root = (location.base or location).version
    lineage: dict[str, Any] = {
        "base_model": root.model,
        "base_version": root.version,
        "base_version_id": root.id,
        "base_source": root.source,
    }
    return lineage | ({"parent_version_id": location.version.id} if location.base else {})


def _dataset_lineage(location: DatasetLocation) -> dict[str, Any]:
    version = location.version
    lineage = {
        "dataset": version.dataset,
        "dataset_version": version.version,
        "dataset_version_id": version.id,
        "dataset_sha256": version.sha256,
    }
    return lineage | ({"dataset_splits_sha256": version.splits.sha256} if version.splits else {})
