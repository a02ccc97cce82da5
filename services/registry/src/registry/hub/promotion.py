"""When a commit to `main` is a model that Kargah can load, it is the next version of the model of that name."""

from __future__ import annotations

import json
from dataclasses import dataclass

from kargah.contracts.models import ModelFile, ModelVersionCreate, ModelVersionView
from kargah.db.engine import Connection, Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import Invalid, UnsupportedMedia
from kargah.domain.model_files import is_weights
from kargah.ports.object_store import ObjectStore
from registry.blobs.service import PREFIX
from registry.models import repository as models_repository
from registry.models.service import Draft, ModelService
from registry.repos.values import MODELS, Entry, Repository, Tree, without_card

SOURCE = "hub push"
_INDEX = "model.safetensors.index.json"
_CONFIGS = frozenset({"config.json", "adapter_config.json"})
_LARGEST_INDEX = 16 << 20


@dataclass(frozen=True, slots=True)
class Verdict:
    """The version that a commit makes, or the reason why it makes none; neither where nothing of a model changed."""

    draft: Draft | None = None
    reason: str | None = None


class Promotion:
    """Judges trees by the checks that every model version passes."""

    def __init__(self, engine: Engine, store: ObjectStore, models: ModelService) -> None:
        self._engine = engine
        self._store = store
        self._models = models

    def judge(self, found: Repository, tree: Tree) -> Verdict:
        """What a commit of `tree` to `main` makes. Reads configurations and headers from the store."""
        if found.kind != MODELS or not _CONFIGS & tree.keys() or not any(map(is_weights, tree)):
            return Verdict()
        if self._is_latest(found.name, tree):
            return Verdict()
        if absent := self._absent_shards(tree):
            return Verdict(reason=f"{len(absent)} files of {_INDEX} are absent, such as {sorted(absent)[0][:200]}.")
        files = [ModelFile(path=path, size_bytes=one.size_bytes, sha256=one.sha256) for path, one in tree.items()]
        try:
            return Verdict(self._models.draft(ModelVersionCreate(files=files, source=SOURCE)))
        except (Invalid, UnsupportedMedia) as error:
            return Verdict(reason=" ".join([error.message, *(one.message for one in error.errors[:3])]))

    def insert(self, connection: Connection, found: Repository, draft: Draft) -> ModelVersionView:
        """Commit the draft as a version; the repository is locked."""
        return self._models.insert(connection, found.name, draft)

    def _is_latest(self, name: str, tree: Tree) -> bool:
        """Whether it is the latest version in all but its card: a better README makes no new model."""
        with UnitOfWork(self._engine) as tx:
            latest = models_repository.find_version(tx.connection, name)
        if latest is None:
            return False
        known = {file.path: file.sha256 for file in latest.files}
        return without_card(known) == without_card({path: entry.sha256 for path, entry in tree.items()})

    def _absent_shards(self, tree: Tree) -> set[str]:
        """Files that an index names and that did not come yet; one that cannot be read is for the checks to judge."""
        entry: Entry | None = tree.get(_INDEX)
        if entry is None or entry.size_bytes > _LARGEST_INDEX:
            return set()
        try:
            index = json.loads(self._store.get(PREFIX + entry.sha256))
        except (ValueError, RecursionError):
            return set()
        shards = index.get("weight_map") if isinstance(index, dict) else None
        return {str(name) for name in shards.values()} - tree.keys() if isinstance(shards, dict) else set()
