"""The README of a version: its front matter tells the Hub's clients which file holds which split."""

from __future__ import annotations

from typing import Any

import yaml

from kargah.contracts.datasets import DatasetVersionView
from registry.uploaded.files import path_of, splits_of

_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))
_LARGER = "n>10M"
_LANGUAGES = {"persian": "fa"}
_MOST_FIELDS = 50


def front_of(version: DatasetVersionView) -> dict[str, Any]:
    """The card's metadata."""
    rows, scripts = version.stats.rows, version.stats.scripts
    mainly = max(scripts, key=lambda script: scripts[script], default="")
    files = [{"split": split, "path": path_of(split)} for split in splits_of(version)]
    return {
        "pretty_name": version.dataset,
        **({"language": [_LANGUAGES[mainly]]} if mainly in _LANGUAGES else {}),
        "size_categories": [next((name for below, name in _SIZES if rows < below), _LARGER)],
        "tags": ["kargah", version.format],
        "configs": [{"config_name": "default", "data_files": files}],
    }


def readme_of(version: DatasetVersionView) -> bytes:
    """The card: the same bytes whenever it is asked for."""
    front = yaml.safe_dump(front_of(version), sort_keys=False, allow_unicode=True)
    stats, name = version.stats, version.dataset
    fields = ", ".join(f"`{_plain(field)}`" for field in stats.fields[:_MOST_FIELDS])
    counts = {split: stats.splits[split].rows if version.splits else stats.rows for split in splits_of(version)}
    held = ", ".join(f"{rows:,} in `{split}`" for split, rows in counts.items())
    text = (
        f"# {name}, version {version.version}\n\n"
        f"Rows of the format `{version.format}`: {held}. Fields: {fields}.\n\n"
        f"Made in Kargah from `{_plain(version.source_filename)}`. It is read-only here: "
        f"`kargah dataset upload FILE --name {name}` makes its next version.\n"
    )
    return f"---\n{front}---\n{text}".encode()


def _plain(text: str) -> str:
    """Without what would end its code span or its line."""
    return " ".join(text.replace("`", "'").split())
