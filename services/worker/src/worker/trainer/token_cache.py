"""Tokenised datasets on disk, keyed by everything they were made from; one safetensors file each."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from worker.trainer.items import Item
from worker.trainer.rows import IntArray

_LAYOUT = "1"


def cache_path(folder: Path, parts: Sequence[str]) -> Path:
    """Where the items made from `parts` are, or would be."""
    key = hashlib.sha256(json.dumps([_LAYOUT, *parts]).encode()).hexdigest()
    return folder / "tokens" / f"{key}.safetensors"


def load(path: Path) -> tuple[list[Item], IntArray] | None:
    """The items and the row of each; None when there is no such file, or it cannot be read."""
    try:
        arrays = load_file(path)
        bounds = arrays["bounds"]
        items = [
            Item(arrays["ids"][begin:end], arrays["trained"][begin:end], int(label))
            for begin, end, label in zip(bounds[:-1], bounds[1:], arrays["labels"], strict=True)
        ]
    except (OSError, SafetensorError, KeyError, ValueError):
        return None
    return items, arrays["rows"]


def store(path: Path, items: Sequence[Item], rows: IntArray) -> None:
    """Write beside the place and rename, so that a reader sees all of it or nothing. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {
        "ids": np.concatenate([item.ids for item in items]),
        "trained": np.concatenate([item.trained for item in items]),
        "bounds": np.cumsum([0, *(len(item.ids) for item in items)], dtype=np.int64),
        "labels": np.array([item.label for item in items], dtype=np.int32),
        "rows": rows,
    }
    partial = path.with_name(f"{path.name}.{uuid.uuid4().hex}.partial")
    try:
        save_file(arrays, partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
