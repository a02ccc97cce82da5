"""A dataset out of a bundle: its rows, its splits, and what is known of it where it comes from."""

from __future__ import annotations

import base64
import zlib
from pathlib import Path

from kargah.clients.bundles.errors import BundleRefused
from kargah.clients.bundles.manifest import BundledDataset
from kargah.clients.client import Client
from kargah.contracts.datasets import DatasetVersionView, GivenSplits, SplitRequest


def commit_dataset(client: Client, dataset: BundledDataset, folder: Path, stamp: dict[str, str]) -> str:
    """Have the version, whose blobs lie in `folder`; `name@version`. Equal rows, divided alike, are one version.

    Raises BundleRefused when the platform makes something else of the rows than was bundled, ApiError, Unreachable."""
    path = folder / f"{dataset.name.rpartition('/')[2]}.jsonl"
    rows = (folder / dataset.sha256).rename(path)
    uploaded = client.datasets.upload(rows, name=dataset.name, format=dataset.format, origin=_origin(dataset, stamp))
    rows.rename(folder / dataset.sha256)  # another dataset may have the same
    version = _divided(client, uploaded, dataset, folder)
    found, told = version.stats, dataset.stats
    if version.sha256 != dataset.sha256 or found.rows != dataset.rows or (told and found.splits != told.splits):
        message = f"{dataset.name} is not what was bundled: its rows or splits are read otherwise here."
        raise BundleRefused("not_the_same", message, "Were both sites' releases of Kargah the same?")
    return f"{version.dataset}@{version.version}"


def _divided(client: Client, uploaded: DatasetVersionView, dataset: BundledDataset, folder: Path) -> DatasetVersionView:
    wanted = dataset.splits
    if wanted is None or (uploaded.splits is not None and uploaded.splits.sha256 == wanted.sha256):
        return uploaded
    places = base64.b64encode(zlib.compress((folder / wanted.sha256).read_bytes())).decode()
    given = GivenSplits(places=places, splits=wanted)
    return client.datasets.split(dataset.name, SplitRequest(version=uploaded.version, given=given))


def _origin(dataset: BundledDataset, stamp: dict[str, str]) -> dict[str, object]:
    lineage = None if dataset.lineage is None else dataset.lineage.model_dump(mode="json", exclude_none=True)
    origin = {"dataset": dataset.name, "version": dataset.version, "version_id": dataset.id, "file": dataset.filename}
    return {**stamp, **origin, **({"lineage": lineage} if lineage else {})}
