"""What a job made, registered: a model's files as blobs and a version, a dataset's rows, or figures alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kargah
from kargah.contracts.models import ModelFile, ModelVersionCreate, ModelVersionView
from kargah.contracts.runs import OutputMessage
from kargah.domain.kinds import Kind, facts_of
from kargah.jobstore.values import Claim
from kargah.ports.object_store import ObjectStore
from worker.agent.background import Background
from worker.agent.ledger import AttemptLedger
from worker.agent.peers import Peers


def log_key(job_id: str) -> str:
    """Where a job's whole log lies once it has ended."""
    return f"jobs/{job_id}/log.txt"


@dataclass(frozen=True)
class OutputPublisher:
    """Runs in the background thread. Raises PeerRefused, StoreUnavailable, Unavailable, StaleAttempt, OSError,
    Aborted."""

    claim: Claim
    peers: Peers
    store: ObjectStore
    ledger: AttemptLedger
    background: Background

    def publish(self, output: OutputMessage, lineage: dict[str, Any]) -> dict[str, Any]:
        """Upload, register; the job's `result`. `lineage` is that of the inputs.

        A repeat, after a crash in between, finds the first one's version.
        """
        makes = facts_of(self.claim.kind).makes
        if makes == "figures":
            return dict(output.metrics)
        if makes == "dataset":
            return self._publish_dataset(output)
        return self._publish_model(output, lineage)

    def _publish_model(self, output: OutputMessage, lineage: dict[str, Any]) -> dict[str, Any]:
        folder, name = Path(output.directory), self.claim.config.output_model
        assert name is not None  # the gateway names what each job makes
        for entry in output.files:
            self.peers.put_blob(folder, entry, self.background.check)
        self._still_ours()
        version = self.peers.commit_version(name, self._version(output, lineage))
        return _result(version, output)

    def _publish_dataset(self, output: OutputMessage) -> dict[str, Any]:
        """Equal rows are one version, however often they are sent."""
        name = self.claim.config.output_dataset
        assert name is not None and len(output.files) == 1
        self._still_ours()
        file = output.files[0]
        path, check = Path(output.directory) / file.path, self.background.check
        version = self.peers.put_dataset(name, path, file.sha256, check, self._upload_options())
        return {
            "dataset": version.dataset,
            "version": version.version,
            "versionId": version.id,
            "format": version.format,
            "rows": version.stats.rows,
            "sizeBytes": version.stats.size_bytes,
        }

    def _upload_options(self) -> dict[str, str]:
        """The row format and the mapping of columns, where the job names them."""
        params = self.claim.config.params
        return {name: str(params[name]) for name in ("format", "map") if params.get(name)}

    def _still_ours(self) -> None:
        """Raises when the job was cancelled or taken meanwhile: no version then."""
        self.ledger.heartbeat()
        self.background.check()

    def store_log(self) -> None:
        """The log of all attempts as one text; a repeat replaces it."""
        lines = (
            f"{line.at.isoformat()} [{line.attempt}] {line.level}: {line.message}\n" for line in self.ledger.log_lines()
        )
        self.store.put(log_key(self.claim.job_id), "".join(lines).encode())

    def _version(self, output: OutputMessage, inputs: dict[str, Any]) -> ModelVersionCreate:
        files = [ModelFile(path=file.path, size_bytes=file.size_bytes, sha256=file.sha256) for file in output.files]
        return ModelVersionCreate(
            files=files,
            source=self._source(output),
            lineage=self._lineage(output, inputs),
            idempotency_key=self.claim.job_id,
        )

    def _source(self, output: OutputMessage) -> str:
        """An install tells where the model came from, down to the revision."""
        if self.claim.kind == Kind.INSTALL:
            return str(output.metrics.get("source") or self.claim.config.params.get("source", "install"))[:300]
        return f"job:{self.claim.job_id}"

    def _lineage(self, output: OutputMessage, inputs: dict[str, Any]) -> dict[str, Any]:
        config = self.claim.config
        exported = config.base_model if self.claim.kind == Kind.EXPORT else None
        return {
            **output.lineage,
            **inputs,
            **({"exported_from": exported.model_dump()} if exported is not None else {}),
            "job_id": self.claim.job_id,
            "job_name": self.claim.name,
            "recipe": config.recipe,
            "params": config.params,
            "metrics": output.metrics,
            "code_version": kargah.__version__,
            **({"started_from": config.start.model_dump()} if config.start is not None else {}),
        }


def _result(version: ModelVersionView, output: OutputMessage) -> dict[str, Any]:
    return {
        "model": version.model,
        "version": version.version,
        "versionId": version.id,
        "sizeBytes": version.size_bytes,
        "metrics": output.metrics,
    }
