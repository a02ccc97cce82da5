"""What a bundle holds: the first member of its archive, and what is signed."""

from __future__ import annotations

import hashlib
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from kargah.clients.bundles.errors import BundleRefused
from kargah.contracts.base import Sha256, Wire
from kargah.contracts.datasets import DatasetStats, Lineage, VersionSplits
from kargah.contracts.models import ModelFile
from kargah.domain.file_paths import problem_with_path
from kargah.domain.names import is_name

MANIFEST, SIGNATURE, BLOBS = "manifest.json", "manifest.sig", "blobs/"
MAX_MANIFEST_BYTES = 64 << 20


class BundledModel(Wire):
    """A model version. `id` is what it was called where it comes from; `base_id` names another one of the bundle, or
    one that must be there already."""

    kind: Literal["model"] = "model"
    id: str
    name: str
    version: int
    source: str
    facts: dict[str, Any]
    lineage: dict[str, Any]
    tags: list[str] = []
    files: list[ModelFile] = Field(min_length=1)
    base_id: str | None = None


class BundledDataset(Wire):
    """A dataset version, with its rows as stored in the blob `sha256`, and a byte for each row in that of its `splits`
    where it is divided. `stats` and `lineage` as they were where it comes from."""

    kind: Literal["dataset"] = "dataset"
    id: str
    name: str
    version: int
    format: str
    rows: int
    filename: str
    sha256: Sha256
    size_bytes: int = Field(ge=0)
    stats: DatasetStats | None = None
    splits: VersionSplits | None = None
    lineage: Lineage | None = None

    def blobs(self) -> dict[str, int]:
        """The size of each by sha256."""
        places = {} if self.splits is None else {self.splits.sha256: self.rows}
        return {self.sha256: self.size_bytes, **places}


class Manifest(Wire):
    """Bases come before what was trained on them. `blobs`: the size of each by sha256, in the order of the archive."""

    format: Literal["kargah-bundle/1"] = "kargah-bundle/1"
    made_by: str
    made_at: str
    models: list[BundledModel] = []
    datasets: list[BundledDataset] = []
    blobs: dict[str, int]

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name in [*(model.name for model in self.models), *(dataset.name for dataset in self.datasets)]:
            if not is_name(name):
                raise ValueError(f"{name!r} can be no name")
        for file in (file for model in self.models for file in model.files):
            if (problem := problem_with_path(file.path)) is not None:
                raise ValueError(f"the file path {file.path!r} {problem}")
        if missing := self.needed().items() - self.blobs.items():
            raise ValueError(f"{len(missing)} files are not among its blobs")
        return self

    def needed(self) -> dict[str, int]:
        """The size of every file by sha256."""
        files = {file.sha256: file.size_bytes for model in self.models for file in model.files}
        return files | {sha256: size for dataset in self.datasets for sha256, size in dataset.blobs().items()}

    def encoded(self) -> bytes:
        """The bytes that are signed."""
        return self.model_dump_json(by_alias=True, indent=1).encode()


def read_manifest(data: bytes) -> Manifest:
    """Raises BundleRefused with a short reason."""
    try:
        return Manifest.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise BundleRefused("bad_manifest", f"The bundle's manifest cannot be read: {place} {first['msg']}") from error


def digest(data: bytes) -> str:
    """sha256 in hex."""
    return hashlib.sha256(data).hexdigest()
