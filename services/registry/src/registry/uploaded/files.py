"""The files that a version of an uploaded dataset has as a repository, beside its card."""

from __future__ import annotations

from kargah.contracts.datasets import DatasetVersionView
from kargah.domain.errors import Unavailable
from kargah.domain.splits import TRAIN
from registry.repos.values import Entry

README = "README.md"


def splits_of(version: DatasetVersionView) -> list[str]:
    """Those that have rows; all rows are `train` where nothing was divided."""
    return [TRAIN] if version.splits is None else [one for one in version.splits.names if one in version.stats.splits]


def paths_of(version: DatasetVersionView) -> list[str]:
    """Of all files."""
    return [README, *(path_of(split) for split in splits_of(version))]


def data_files(version: DatasetVersionView) -> dict[str, Entry]:
    """By path the object that holds the rows of a split. Raises Unavailable for splits that are no files yet."""
    if version.splits is None:
        return {path_of(TRAIN): Entry(version.sha256, version.stats.size_bytes)}
    files, stats = version.splits.files, version.stats.splits
    if not files:
        message = f"The splits of {version.dataset} version {version.version} are not files of their own yet."
        raise Unavailable(message, hint="They are made when the dataset service has started: try again in a moment.")
    return {path_of(split): Entry(files[split], stats[split].size_bytes) for split in splits_of(version)}


def path_of(split: str) -> str:
    """Where its rows lie in the repository."""
    return f"data/{split}.jsonl"
