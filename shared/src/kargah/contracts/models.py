"""Models on the wire."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from kargah.contracts.base import Sha256, Timestamp, Wire, WireRequest

Tag = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w.:/+-]+$")]
"""A word on a version, in any script."""


class ModelFile(WireRequest):
    """One file of a version: its path inside the model folder; its bytes live at the blob of `sha256`."""

    path: str = Field(min_length=1, max_length=512)
    size_bytes: int = Field(ge=0, le=1 << 50)
    sha256: Sha256


class ModelFacts(Wire):
    """What was read from the files. `kind`: causal_lm, encoder, classifier, adapter, other.

    `license` as the model card names it (`apache-2.0`), or the base's for an adapter that names none.
    """

    kind: str
    model_type: str | None = None
    architectures: list[str] = []
    parameters: int | None = None
    context_length: int | None = None
    has_chat_template: bool = False
    base_model: str | None = None
    license: str | None = None


class ModelVersionView(Wire):
    """An immutable version. `lineage` holds base, dataset, job, params and metrics for a trained one.

    `aliases` point to it now, and `tags` are put on it now: these two alone may change.
    """

    id: str
    model: str
    version: int
    files: list[ModelFile]
    facts: ModelFacts
    size_bytes: int
    source: str
    lineage: dict[str, Any] = {}
    aliases: list[str] = []
    tags: list[str] = []
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


class AliasView(Wire):
    """A name for one version of a model. `previous` is the version that it pointed to before, if it still is there."""

    alias: str
    model: str
    version: int
    version_id: str
    previous: int | None = None
    moved_at: Timestamp


class AliasMove(WireRequest):
    """Where an alias is to point. With `expected` only if it points there now (0: if it does not exist yet)."""

    version: int = Field(ge=1, le=999_999_999)
    expected: int | None = Field(default=None, ge=0, le=999_999_999)


class TagsChange(WireRequest):
    """Tags to put on a version, and to take off."""

    add: list[Tag] = Field(default=[], max_length=50)
    remove: list[Tag] = Field(default=[], max_length=50)


class LineageNode(Wire):
    """A version in another's history. `relation` says what it is to the one that `of` names: `base`, `parent` (the
    adapter it was trained further from) or `exported_from`; for descendants the same, seen from the other side.

    `depth` counts generations from 1. `present` is False for one that was deleted: little is known of it then.
    """

    relation: str
    of: str
    depth: int
    id: str
    model: str | None = None
    version: int | None = None
    kind: str | None = None
    source: str | None = None
    dataset: str | None = None
    job_id: str | None = None
    recipe: str | None = None
    present: bool = True
    created_at: Timestamp | None = None


class LineageView(Wire):
    """Where a version comes from and what was made of it, nearest first; at most 1000 of each."""

    version: ModelVersionView
    ancestors: list[LineageNode]
    descendants: list[LineageNode]


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
