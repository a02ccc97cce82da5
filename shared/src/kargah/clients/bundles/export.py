"""From the platform into a bundle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from kargah import __version__
from kargah.clients.bundles.archive import CHUNK, write_archive
from kargah.clients.bundles.errors import BundleRefused
from kargah.clients.bundles.keys import PrivateKey
from kargah.clients.bundles.manifest import BundledDataset, BundledModel, Manifest
from kargah.clients.client import Client
from kargah.clients.transport import place
from kargah.contracts.datasets import DatasetPreview, DatasetVersionView
from kargah.contracts.models import ModelFile, ModelLocation
from kargah.domain.names import split_version

_PAGE = 100
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
    """A version of a dataset, its rows as JSON lines. Raises as `export_model`."""
    with TemporaryDirectory(dir=target.parent) as folder:
        rows = Path(folder) / "rows.jsonl"
        version = _write_rows(client, name, rows)
        with rows.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        size = rows.stat().st_size
        bundled = BundledDataset(
            id=version.id,
            name=version.dataset,
            version=version.version,
            format=version.format,
            rows=version.stats.rows,
            filename=version.source_filename,
            sha256=sha256,
            size_bytes=size,
        )
        manifest = _manifest(datasets=[bundled], blobs={sha256: size})
        count = _counter(manifest, progress)

        @contextmanager
        def open_blob(_sha256: str) -> Iterator[Iterator[bytes]]:
            with rows.open("rb") as stream:
                yield count(iter(lambda: stream.read(CHUNK), b""))

        _write(target, manifest, key, open_blob)
    return manifest


def _write_rows(client: Client, name: str, path: Path) -> DatasetVersionView:
    """Page by page, as JSON lines; of one version, whatever is uploaded meanwhile."""
    name, number = split_version(name)
    address, query = f"/api/datasets/{place(name)}/preview", {} if number is None else {"version": number}
    version, offset = None, 0
    with path.open("w", encoding="utf-8") as file:
        while True:
            params = {**query, "offset": offset, "limit": _PAGE}
            page = client.transport.ask(DatasetPreview, "GET", address, params=params)
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in page.rows)
            version, query = page.version, {"version": str(page.version.version)}
            offset += len(page.rows)
            if not page.rows or offset >= version.stats.rows:
                return version


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
