"""What a job works on, brought to this machine: base model, dataset rows, the checkpoint to go on from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kargah.contracts.datasets import DatasetLocation
from kargah.contracts.jobs import DatasetRef, ModelRef
from kargah.contracts.models import ModelLocation
from kargah.jobstore.values import Claim
from kargah.ports.object_store import ObjectStore
from worker.agent.background import Background
from worker.agent.peers import Peers
from worker.agent.restore import Restore, Restored
from worker.fetch import FetchedModel, fetch_blob, fetch_with_base


@dataclass(frozen=True)
class Inputs:
    """Everything local and verified. `facts` goes into the model card and the version's lineage."""

    model: FetchedModel | None = None
    dataset: DatasetLocation | None = None
    dataset_path: Path | None = None
    restored: Restored = field(default_factory=Restored)
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class InputFetcher:
    """Runs in the background thread. Raises PeerRefused, BlobCorrupt, ObjectMissing, StoreUnavailable,
    Unavailable, StaleAttempt, OSError, Aborted."""

    claim: Claim
    store: ObjectStore
    peers: Peers
    restore: Restore
    background: Background
    cache_dir: Path
    work_dir: Path

    def fetch(self) -> Inputs:
        config = self.claim.config
        facts: dict[str, Any] = {"job_id": self.claim.job_id, "job_name": self.claim.name, "recipe": config.recipe}
        model = self._model(config.base_model, facts) if config.base_model else None
        dataset, path = self._dataset(config.dataset, facts) if config.dataset else (None, None)
        restored = self.restore.newest_good(self.work_dir / "resume")
        return Inputs(model, dataset, path, restored, facts | {"output_model": config.output_model})

    def _model(self, ref: ModelRef, facts: dict[str, Any]) -> FetchedModel:
        location = self.peers.model_location(ref)
        facts["base_model"] = _model_facts(location)
        into = self.work_dir / "inputs"
        return fetch_with_base(location, self.store, self.cache_dir, into, on_bytes=self.background.check)

    def _dataset(self, ref: DatasetRef, facts: dict[str, Any]) -> tuple[DatasetLocation, Path]:
        location = self.peers.dataset_location(ref)
        version = location.version
        facts["dataset"] = {
            "name": version.dataset,
            "version": version.version,
            "version_id": version.id,
            "format": version.format,
            "sha256": version.sha256,
            "rows": version.stats.rows,
        }
        prefix = location.key.removesuffix(version.sha256)
        path = fetch_blob(
            self.store,
            version.sha256,
            location.size_bytes,
            self.cache_dir,
            prefix=prefix,
            on_bytes=self.background.check,
        )
        return location, path


def _model_facts(location: ModelLocation) -> dict[str, Any]:
    version = location.version
    return {
        "name": version.model,
        "version": version.version,
        "version_id": version.id,
        "source": version.source,
        **version.facts.model_dump(mode="json"),
    }
