"""Read what little of a repository's content the registry needs to know: small texts and the card."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kargah.contracts.models import ModelFile
from kargah.domain.model_files import is_weights
from kargah.ports.object_store import ObjectMissing, ObjectStore
from registry.blobs.service import PREFIX
from registry.repos import card
from registry.repos.objects import blob_sha1
from registry.repos.values import MODELS, Entry, Tree

REGULAR_BYTES = 1 << 20
"""Larger files are LFS files, whatever they hold."""
_SAMPLE = 512
_PARALLEL_READS = 8


def is_text(sample: bytes) -> bool:
    """Whether a file that begins like this is kept as git keeps it: UTF-8 without NUL."""
    start = sample[:_SAMPLE]
    if b"\0" in start:
        return False
    try:
        start.decode()
    except UnicodeDecodeError as error:
        return len(start) == _SAMPLE and error.start > _SAMPLE - 4  # a character cut in two
    return True


def entries_of(store: ObjectStore, files: Sequence[ModelFile]) -> dict[str, Entry]:
    """The files as a repository keeps them: small texts by git's own id, everything else as LFS files."""
    with ThreadPoolExecutor(_PARALLEL_READS, thread_name_prefix="entry") as pool:
        entries = pool.map(lambda file: _entry(store, file), files)
        return {file.path: entry for file, entry in zip(files, entries, strict=True)}


def meta_of(store: ObjectStore, kind: str, tree: Tree) -> dict[str, Any]:
    """What lists show of a commit of these files. What cannot be read is left out: it is for display."""
    readme = _small(store, tree.get("README.md"))
    config = _object(store, tree.get("config.json")) if kind == MODELS else {}
    try:
        front = card.front_matter(readme.decode(errors="replace"))
    except card.BadCard:
        front = {}
    return card.describe(tree.keys(), front, config, kind == MODELS and "adapter_config.json" in tree)


def _entry(store: ObjectStore, file: ModelFile) -> Entry:
    if file.size_bytes <= REGULAR_BYTES and not is_weights(file.path):
        data = store.get(PREFIX + file.sha256)
        if is_text(data):
            return Entry(file.sha256, file.size_bytes, blob_sha1(data))
    return Entry(file.sha256, file.size_bytes)


def _object(store: ObjectStore, entry: Entry | None) -> Mapping[str, Any]:
    try:
        value = json.loads(_small(store, entry) or b"{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _small(store: ObjectStore, entry: Entry | None) -> bytes:
    """The content of a file, empty where it is absent or large."""
    if entry is None or entry.size_bytes > REGULAR_BYTES:
        return b""
    try:
        return store.get(PREFIX + entry.sha256)
    except ObjectMissing:
        return b""
