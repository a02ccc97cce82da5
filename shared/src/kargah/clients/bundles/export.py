"""From the platform into a bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from kargah import __version__
from kargah.clients.bundles.archive import write_archive
from kargah.clients.bundles.errors import BundleRefused
from kargah.clients.bundles.keys import PrivateKey
from kargah.clients.bundles.manifest import BundledDataset, BundledModel, Manifest
from kargah.clients.client import Client
from kargah.contracts.models import ModelFile, ModelLocation
from kargah.domain.names import split_version

Progress = Callable[[int, int], None]


def export_model(
    client: Client,
    name: str,
    target: Path,
    key: PrivateKey,
    *,
    with_base: bool = True,
    progress: Progress | None = None,
) -> Manifest:
    """A version (`name`, `name@3`, `name@production`) with its lineage, and the base of an adapter, unless told not to.

    `progress(done, total)` counts bytes. Raises ApiError, Unreachable, BundleRefused, OSError.
    """
    chain = _chain(client.models.locate(name))
    chosen = chain if with_base else chain[-1:]
    models = [_bundled(location) for location in chosen]
    where = {file.sha256: (location, file) for location in chosen for file in location.version.files}
    manifest = _manifest(models=models, blobs={sha256: file.size_bytes for sha256, (_, file) in where.items()})
    count = _counter(manifest, progress)

    @contextmanager
    def open_blob(sha256: str) -> Iterator[Iterator[bytes]]:
        location, file = where[sha256]
        with client.models.stream_file(location.version, file) as chunks:
            yield count(chunks)

    _write(target, manifest, key, open_blob)
    return manifest


def export_dataset(
    client: Client, name: str, target: Path, key: PrivateKey, *, progress: Progress | None = None
) -> Manifest:
    """A version of a dataset (`name`, `name@3`): its rows as they are stored, its splits, statistics and lineage.
    Raises as `export_model`."""
    name, number = split_version(name)
    version = client.datasets.get(name, version=_number(number)).latest
    bundled = BundledDataset(
        id=version.id,
        name=version.dataset,
        version=version.version,
        format=version.format,
        rows=version.stats.rows,
        filename=version.source_filename,
        sha256=version.sha256,
        size_bytes=version.stats.size_bytes,
        stats=version.stats,
        splits=version.splits,
        lineage=version.lineage,
    )
    manifest = _manifest(datasets=[bundled], blobs=bundled.blobs())
    count = _counter(manifest, progress)

    @contextmanager
    def open_blob(sha256: str) -> Iterator[Iterator[bytes]]:
        stream = client.datasets.stream_rows if sha256 == version.sha256 else client.datasets.stream_splits
        with stream(version.dataset, version.version) as chunks:
            yield count(chunks)

    _write(target, manifest, key, open_blob)
    return manifest


def _number(version: str | None) -> int | None:
    """Datasets have no aliases."""
    if version is None or version.isdigit():
        return None if version is None else int(version)
    message = f"a dataset's version is a number, not {version!r}."
    raise BundleRefused("no_version", message, "See them: kargah dataset list")


def _chain(location: ModelLocation) -> list[ModelLocation]:
    """The base of the base first."""
    return [*(_chain(location.base) if location.base else []), location]


def _bundled(location: ModelLocation) -> BundledModel:
    version = location.version
    return BundledModel(
        id=version.id,
        name=version.model,
        version=version.version,
        source=version.source,
        facts=version.facts.model_dump(mode="json"),
        lineage=version.lineage,
        tags=version.tags,
        files=[ModelFile(path=file.path, size_bytes=file.size_bytes, sha256=file.sha256) for file in version.files],
        base_id=location.base.version.id if location.base else None,
    )


def _manifest(
    *,
    blobs: dict[str, int],
    models: Sequence[BundledModel] = (),
    datasets: Sequence[BundledDataset] = (),
) -> Manifest:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Manifest(made_by=f"kargah {__version__}", made_at=now, models=[*models], datasets=[*datasets], blobs=blobs)


def _counter(manifest: Manifest, progress: Progress | None) -> Callable[[Iterator[bytes]], Iterator[bytes]]:
    total, done = sum(manifest.blobs.values()), 0

    def count(chunks: Iterator[bytes]) -> Iterator[bytes]:
        nonlocal done
        for chunk in chunks:
            done += len(chunk)
            if progress is not None:
                progress(done, total)
            yield chunk

    return count


def _write(
    target: Path,
    manifest: Manifest,
    key: PrivateKey,
    open_blob: Callable[[str], AbstractContextManager[Iterator[bytes]]],
) -> None:
    """Under its name only once it is whole."""
    if target.exists():
        raise BundleRefused("exists", f"{target} is there already.", "Choose another name, or remove it.")
    draft = target.with_name(f".{target.name}.part")
    try:
        with draft.open("wb") as stream:
            write_archive(stream, manifest, key, open_blob)
        draft.rename(target)
    finally:
        draft.unlink(missing_ok=True)
