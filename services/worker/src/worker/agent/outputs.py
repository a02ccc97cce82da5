"""What a job made: files into the platform's blobs, then an immutable version at the registry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kargah.contracts.models import ModelFile, ModelVersionCreate, ModelVersionView
from kargah.contracts.runs import OutputMessage
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
        folder = Path(output.directory)
        for entry in output.files:
            self.peers.put_blob(folder, entry, self.background.check)
        self.ledger.heartbeat()  # raises when the job was cancelled or taken meanwhile: no version then
        self.background.check()
        version = self.peers.commit_version(self.claim.config.output_model, self._version(output, lineage))
        return _result(version, output)

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
        if self.claim.kind == "install":
            return str(output.metrics.get("source") or self.claim.config.params.get("source", "install"))[:300]
        return f"job:{self.claim.job_id}"

    def _lineage(self, output: OutputMessage, inputs: dict[str, Any]) -> dict[str, Any]:
        config = self.claim.config
        return {
            **inputs,
            "job_id": self.claim.job_id,
            "job_name": self.claim.name,
            "recipe": config.recipe,
            "params": config.params,
            "metrics": output.metrics,
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
