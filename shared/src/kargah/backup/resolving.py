"""From keys that rows name to objects with their sha256, reading as little as possible."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kargah.backup.documents import SavedObject
from kargah.backup.names import BLOBS, DATASETS, Names
from kargah.ports.object_store import ObjectMissing, ObjectStat, ObjectStore

_KINDS = (DATASETS, BLOBS, "jobs/")
_MANIFEST = "manifest.json"


def stored(store: ObjectStore) -> Mapping[str, ObjectStat]:
    """Every object that a row may name."""
    return {found.key: found for kind in _KINDS for found in store.list(kind)}


@dataclass
class Resolver:
    """`known`: objects of an earlier backup by key; one with the same ETag need not be read again. `have`: sha256 ->
    size of what is saved already.

    `missing`: keys that should be in the store, are not, and were not saved before; `absent`: those that were.
    """

    store: ObjectStore
    listing: Mapping[str, ObjectStat]
    known: Mapping[str, SavedObject]
    have: Mapping[str, int]

    def __post_init__(self) -> None:
        self.missing: set[str] = set()
        self.absent: set[str] = set()

    def resolve(self, names: Names) -> list[SavedObject]:
        """What is to be saved for `names`. May raise StoreUnavailable."""
        found = {one.key: one for one in self._resolved(names)}
        return [found[key] for key in sorted(found)]

    def _resolved(self, names: Names) -> Iterator[SavedObject]:
        for key in names.needed | names.wanted:
            if key in self.listing:
                yield from self._by_name_or_content(key)
            elif key in names.needed:
                yield from self._saved_before(key)
        for prefix in names.checkpoints:
            yield from self._checkpoint(prefix)

    def _by_name_or_content(self, key: str) -> Iterator[SavedObject]:
        for kind in (DATASETS, BLOBS):
            if key.startswith(kind):
                yield self._object(key, key.removeprefix(kind))
                return
        if (again := self._unchanged(key)) is not None:
            yield again
        elif (content := self._content(key)) is not None:
            yield self._object(key, hashlib.sha256(content).hexdigest(), len(content))

    def _checkpoint(self, prefix: str) -> Iterator[SavedObject]:
        """Its manifest, and the files that the manifest names by their sha256."""
        key = prefix + _MANIFEST
        content = self._content(key)
        if content is None:
            for one in [key, *(one for one in self.known if one.startswith(prefix) and one != key)]:
                yield from self._saved_before(one)
            return
        yield self._object(key, hashlib.sha256(content).hexdigest(), len(content))
        for path, sha256 in _files(content):
            if prefix + path in self.listing:
                yield self._object(prefix + path, sha256)
            else:
                yield from self._saved_before(prefix + path)

    def _saved_before(self, key: str) -> Iterator[SavedObject]:
        """What the store has no more may still lie with the backups."""
        before = self.known.get(key)
        if before is not None and self.have.get(before.sha256) == before.size:
            self.absent.add(key)
            yield before
        else:
            self.missing.add(key)

    def _unchanged(self, key: str) -> SavedObject | None:
        before, now = self.known.get(key), self.listing[key]
        return before if before is not None and (before.etag, before.size) == (now.etag, now.size) else None

    def _content(self, key: str) -> bytes | None:
        try:
            return self.store.get(key)
        except ObjectMissing:
            return None

    def _object(self, key: str, sha256: str, size: int | None = None) -> SavedObject:
        found = self.listing.get(key)
        etag = found.etag if found else ""
        return SavedObject(
            key=key, sha256=sha256, size=size if size is not None else found.size if found else 0, etag=etag
        )


def _files(manifest: bytes) -> Iterable[tuple[str, str]]:
    """Of none, when it is no manifest: a worker would pass over such a checkpoint too, and it is saved as it is."""
    try:
        return [(str(file["path"]), str(file["sha256"])) for file in json.loads(manifest)["files"]]
    except (ValueError, KeyError, TypeError):
        return []
