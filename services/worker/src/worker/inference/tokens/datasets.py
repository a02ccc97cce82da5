"""A dataset version's rows, as a trainer would get them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from kargah.clients.peer import Peer
from kargah.contracts.datasets import DatasetLocation
from kargah.domain.errors import FieldError, Invalid, NotFound
from kargah.domain.names import is_name
from kargah.ports.object_store import ObjectStore
from worker.cache import trim_cache
from worker.fetch import fetch_blob
from worker.inference.errors import fetching


@dataclass(frozen=True)
class Datasets:
    """`cache_bytes`: the most that downloads may take; a version that is larger is refused."""

    service: Peer
    store: ObjectStore
    cache_dir: Path
    cache_bytes: int

    def locate(self, name: str, version: int | None) -> DatasetLocation:
        """The version, or the latest. Raises NotFound, Unavailable."""
        query = {} if version is None else {"version": str(version)}
        path = f"/api/datasets/{quote(name)}/location"
        found = self.service.ask(DatasetLocation, path, query) if is_name(name) else None
        if found is None:
            which = "" if version is None else f" version {version} of"
            raise NotFound(
                f"There is no{which} dataset {name[:200]!r}.", hint="See what there is: kargah dataset list."
            )
        return found

    def fetch(self, location: DatasetLocation) -> Path:
        """The local, verified file of its rows. Raises Invalid when it is too large, Unavailable."""
        if location.size_bytes > self.cache_bytes:
            message = f"the version has {location.size_bytes:,} bytes, and {self.cache_bytes:,} are kept here at most"
            raise Invalid(message, "raise KARGAH_CACHE_GIB of the inference service", [FieldError("version", message)])
        digest = location.version.sha256
        prefix = location.key.removesuffix(digest)
        with fetching("The rows"):
            path = fetch_blob(self.store, digest, location.size_bytes, self.cache_dir, prefix=prefix)
        trim_cache(self.cache_dir, self.cache_bytes)
        return path
