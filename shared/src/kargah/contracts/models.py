"""Models on the wire."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from kargah.contracts.base import Timestamp, Wire, WireRequest


class ModelFile(WireRequest):
    """One file of a version: its path inside the model folder; its bytes live at the blob of `sha256`."""

    path: str = Field(min_length=1, max_length=512)
    size_bytes: int = Field(ge=0, le=1 << 50)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class ModelFacts(Wire):
    """What was read from the files. `kind`: causal_lm, encoder, classifier, adapter, other."""

    kind: str
    model_type: str | None = None
    architectures: list[str] = []
    parameters: int | None = None
    context_length: int | None = None
    has_chat_template: bool = False
    base_model: str | None = None


class ModelVersionView(Wire):
    """An immutable version. `lineage` holds base, dataset, job, params and metrics for a trained one."""

    id: str
    model: str
    version: int
    files: list[ModelFile]
    facts: ModelFacts
    size_bytes: int
    source: str
    lineage: dict[str, Any] = {}
    created_at: Timestamp


class ModelView(Wire):
    """A model and its latest version."""

    id: str
    name: str
    created_at: Timestamp
    latest: ModelVersionView


class ModelVersionCreate(WireRequest):
    """Commit a version whose blobs are all in the store already.

    `idempotency_key`: a second commit with the same key answers with the first one's version.
    """

    files: list[ModelFile] = Field(min_length=1, max_length=10_000)
    source: str = Field(min_length=1, max_length=300)
    lineage: dict[str, Any] = {}
    idempotency_key: str | None = Field(default=None, max_length=200)


class ModelLocation(Wire):
    """Where a worker reads a version: blob objects `prefix + sha256` in `bucket`, and its base if it is an adapter."""

    version: ModelVersionView
    bucket: str
    prefix: str
    base: ModelLocation | None = None


class InstalledSource(Wire):
    """An entry of the Studio's dropdowns. `path` is what the documents' `baseModelPath`/`datasetPath` take."""

    name: str
    path: str
    kind: str
    size_bytes: int
    rows: int | None = None


class InstalledSources(Wire):
    """`GET /api/sources/installed`."""

    models: list[InstalledSource]
    datasets: list[InstalledSource]
