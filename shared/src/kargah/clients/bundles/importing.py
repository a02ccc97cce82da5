"""From a bundle into the platform: every byte is verified before any version is made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kargah.clients.bundles.archive import ArchiveReader, open_archive
from kargah.clients.bundles.datasets import commit_dataset
from kargah.clients.bundles.errors import BundleRefused
from kargah.clients.bundles.keys import PublicKey
from kargah.clients.bundles.manifest import BundledModel, Manifest, digest
from kargah.clients.client import Client
from kargah.clients.transport import or_none
from kargah.contracts.models import ModelVersionCreate, ModelVersionView

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Imported:
    """What is on the platform now: `name@version` of each, and by whom the bundle was signed."""

    signer: PublicKey
    models: list[str]
    datasets: list[str]


def import_bundle(
    client: Client, path: Path, trusted: Sequence[PublicKey], *, progress: Progress | None = None
) -> Imported:
    """A second import of the same bundle makes nothing new. Rows of datasets are kept on this disk meanwhile; weights
    go straight to the platform. Raises BundleRefused, ApiError, Unreachable, OSError."""
    with ExitStack() as stack:
        archive = stack.enter_context(open_archive(path))
        folder = Path(stack.enter_context(TemporaryDirectory(dir=path.parent)))
        reader = ArchiveReader(archive, trusted)
        _take_blobs(client, reader, folder, progress)
        stamp = {"bundle": digest(reader.manifest_bytes), "key": reader.signer.id}
        models = _commit_models(client, reader.manifest, stamp)
        datasets = [commit_dataset(client, dataset, folder, stamp) for dataset in reader.manifest.datasets]
    return Imported(reader.signer, models, datasets)


def _take_blobs(client: Client, reader: ArchiveReader, folder: Path, progress: Progress | None) -> None:
    rows = {sha256 for dataset in reader.manifest.datasets for sha256 in dataset.blobs()}
    weights = {file.sha256 for model in reader.manifest.models for file in model.files}
    done, total = 0, sum(reader.manifest.blobs.values())
    for sha256, size, chunks in reader.blobs():
        if sha256 in rows:
            chunks = _kept(chunks, folder / sha256)
        if sha256 in weights:
            client.models.put_blob(sha256, size, chunks)
        for _ in chunks:  # what the platform did not need is read all the same: it is verified at its end
            pass
        done += size
        if progress is not None:
            progress(done, total)


def _kept(chunks: Iterator[bytes], path: Path) -> Iterator[bytes]:
    with path.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
            yield chunk


def _commit_models(client: Client, manifest: Manifest, stamp: dict[str, str]) -> list[str]:
    ids: dict[str, str] = {}
    made = []
    for model in manifest.models:
        version = _still_here(client, model) or _commit(client, model, _lineage(client, model, ids, stamp), stamp)
        ids[model.id] = version.id
        if model.tags:
            client.models.tag(f"{version.model}@{version.version}", add=model.tags)
        made.append(f"{version.model}@{version.version}")
    return made


def _still_here(client: Client, model: BundledModel) -> ModelVersionView | None:
    """The very version that was bundled, where a bundle comes home."""
    found = or_none(lambda: client.models.get(f"{model.name}@{model.version}"))
    return found.latest if found is not None and found.latest.id == model.id else None


def _commit(client: Client, model: BundledModel, lineage: dict[str, Any], stamp: dict[str, str]) -> ModelVersionView:
    create = ModelVersionCreate(
        files=model.files,
        source=f"bundle:{model.name}@{model.version}"[:300],
        lineage=lineage,
        idempotency_key=f"bundle:{stamp['bundle']}:{model.id}"[:200],
    )
    return client.models.add_version(model.name, create)


def _lineage(client: Client, model: BundledModel, ids: dict[str, str], stamp: dict[str, str]) -> dict[str, Any]:
    """As it was told, with the ids that are known here; what it was called there is kept beside it."""
    lineage = {name: ids.get(value, value) if name.endswith("_id") else value for name, value in model.lineage.items()}
    origin = {**stamp, "model": model.name, "version": model.version, "version_id": model.id, "source": model.source}
    if model.base_id is not None:
        lineage["base_version_id"] = ids.get(model.base_id) or _base_here(client, model)
    elif "base_version_id" in lineage and lineage["base_version_id"] not in ids.values():
        lineage["base_version_id_there"] = lineage.pop("base_version_id")
    return {**lineage, "imported_from": origin}


def _base_here(client: Client, model: BundledModel) -> str:
    """For a bundle without its base: the version that an earlier bundle brought, or a model of the same name."""
    name = str(model.lineage.get("base_model") or model.facts.get("base_model") or "")
    for version in _versions(client, name) if name else ():
        origin = version.lineage.get("imported_from") or {}
        if model.base_id in (version.id, origin.get("version_id")):
            return version.id
    raise BundleRefused(
        "no_base",
        f"{model.name} was trained on {name}@{model.lineage.get('base_version')}, neither here nor in the bundle.",
        "Import a bundle of the base first, or make this one without --without-base.",
    )


def _versions(client: Client, name: str) -> list[ModelVersionView]:
    """The newest ones of a model; none where there is no such model."""
    found = or_none(lambda: client.models.versions(name, limit=200))
    return found.items if found is not None else []
