"""What a registry holds, compared with what it acknowledged: every version, every commit, every object."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from kargah.db.engine import Engine, create_engine
from kargah.testing.registry_service import RegistryService
from registry.blobs.service import BlobService
from registry.hub.uploads import Uploads
from registry.hub.xet.service import XetStore
from registry.sweeper import abort_strays
from tests.faults.registry_ways import Files, Kept, Ledger

_NONE = timedelta(0)
_LARGEST = 1 << 40


class Audit:
    """`wrong` grows; `needed` are the objects that versions and commits name."""

    def __init__(self, service: RegistryService, ledger: Ledger) -> None:
        self._service = service
        self._ledger = ledger
        self._served: dict[str, str] = {}
        self.wrong: list[str] = []
        self.needed: set[str] = set()
        self.versions: dict[tuple[str, str], Files] = {}
        self.commits: dict[tuple[str, str], Files] = {}

    def look(self) -> None:
        """At every version and every commit."""
        for model in self._service.pages("/api/models"):
            for version in self._service.pages(f"/api/models/{model['name']}/versions"):
                self._version(model["name"], version)
        for repository in self._service.client.get("/hub/api/models?limit=1000").json():
            for commit in self._service.client.get(f"/hub/api/models/{repository['id']}/commits/main").json():
                self._commit(repository["id"], commit["id"])

    def _version(self, name: str, version: dict[str, object]) -> None:
        number, listed = str(version["version"]), version["files"]
        assert isinstance(listed, list)
        files = frozenset((file["path"], file["sha256"]) for file in listed)
        self.versions[name, number] = files
        if files not in self._ledger.tried:
            self.wrong.append(f"{name}@{number} is what nobody sent")
        for path, sha256 in files:
            self._object(sha256, f"{path} of {name}@{number}")
        if self._tree(name, f"v{number}") != files:
            self.wrong.append(f"the tag of {name}@{number} has other files")

    def _commit(self, name: str, sha: str) -> None:
        files = self.commits[name, sha] = self._tree(name, sha)
        if files and files not in self._ledger.tried:
            self.wrong.append(f"{name} at {sha} is what nobody sent")
        for path, sha256 in files:
            self._object(sha256, f"{path} of {name} at {sha}")

    def _tree(self, name: str, revision: str) -> Files:
        answer = self._service.client.get(f"/hub/api/models/{name}/tree/{revision}?recursive=true")
        if not answer.is_success:
            return frozenset([("absent", str(answer.status_code))])
        files = [entry for entry in answer.json() if entry["type"] == "file"]
        return frozenset((entry["path"], self._sha256(name, revision, entry)) for entry in files)

    def _sha256(self, name: str, revision: str, entry: dict[str, dict[str, str]]) -> str:
        """Of a small text the listing has git's id alone: it is read."""
        if entry.get("lfs"):
            return entry["lfs"]["oid"]
        oid = str(entry["oid"])
        if oid not in self._served:
            path = f"/hub/{name}/resolve/{revision}/{entry['path']}"
            self._served[oid] = hashlib.sha256(self._service.client.get(path).content).hexdigest()
        return self._served[oid]

    def _object(self, sha256: str, what: str) -> None:
        key = f"blobs/{sha256}"
        if key not in self.needed:
            self.needed.add(key)
            if hashlib.sha256(self._service.store.get(key)).hexdigest() != sha256:
                self.wrong.append(f"{what} is not whole")

    def compare(self) -> None:
        """With what was acknowledged."""
        for kept in self._ledger.acknowledged:
            if not self._is_there(kept) and kept.name not in self._ledger.unsure:
                self.wrong.append(f"acknowledged and gone: {kept.name} {kept.ref}")
        names = {name for name, _ in self.versions} | {name for name, _ in self.commits}
        self.wrong += [f"deleted and there: {name}" for name in self._ledger.gone & names]
        for name in self._ledger.once:
            if len([number for found, number in self.versions if found == name]) > 1:
                self.wrong.append(f"{name} was made twice")

    def _is_there(self, kept: Kept) -> bool:
        place = (kept.name, kept.ref)
        return (self.versions if kept.ref.isdigit() and len(kept.ref) < 10 else self.commits).get(place) == kept.files


def what_is_wrong(service: RegistryService, ledger: Ledger) -> list[str]:
    """Acknowledged things that are not there, others that are not whole, and objects that are nobody's after the grace.
    Empty when all is well."""
    engine = create_engine(service.environment["KARGAH_DATABASE_URL"])
    try:
        _collect(service, engine)
    finally:
        engine.dispose()
    audit = Audit(service, ledger)
    audit.look()
    audit.compare()
    left = set(service.stored())
    wrong = [*ledger.surprises, *audit.wrong]
    wrong += [f"nobody's: {key}" for key in left - audit.needed] + [f"missing: {key}" for key in audit.needed - left]
    return wrong + [f"still under way: {one.key}" for one in service.store.multiparts("")]


def _collect(service: RegistryService, engine: Engine) -> None:
    """What the registry's sweeps do, with the grace over: nothing is going on, so all is old enough."""
    blobs = BlobService(engine, service.store, _NONE)
    Uploads(service.store, blobs, b"-", limit=_LARGEST, part_bytes=_LARGEST).collect(_NONE)
    XetStore(engine, service.store, blobs, limit=_LARGEST).collect(_NONE)
    abort_strays(service.store, _NONE)
    while blobs.collect():
        pass
