"""Models: commit a version, look up, locate, delete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kargah.contracts.base import Page
from kargah.contracts.models import (
    ModelFacts,
    ModelFile,
    ModelLocation,
    ModelVersionCreate,
    ModelVersionView,
    ModelView,
)
from kargah.db.engine import Connection, Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import Conflict, FieldError, Invalid, NotFound
from kargah.ports.object_store import ObjectStore
from kargah.web.paging import decode_cursor, encode_cursor
from registry.blobs.repository import BlobRow, touch_of_version
from registry.blobs.service import PREFIX, BlobService
from registry.labels.repository import aliases_of
from registry.lineage.repository import note_parents
from registry.models import repository
from registry.models.absent import absent
from registry.models.checks import check_files, check_name, check_sizes
from registry.models.facts import read_facts
from registry.repos import history
from registry.repos.content import entries_of, meta_of
from registry.repos.values import MODELS

_LONGEST_CHAIN = 8


@dataclass(frozen=True, slots=True)
class Draft:
    """A version that was found acceptable and is not committed yet."""

    create: ModelVersionCreate
    facts: ModelFacts
    base: ModelVersionView | None


class ModelService:
    """Safe to share between threads. Every call may raise Unavailable."""

    def __init__(self, engine: Engine, store: ObjectStore, blobs: BlobService) -> None:
        self._engine = engine
        self._store = store
        self._blobs = blobs

    def add_version(self, name: str, create: ModelVersionCreate) -> tuple[ModelVersionView, bool]:
        """Make the next version of `name`; it, and whether it is new (False: its key was used before).

        Raises Invalid and UnsupportedMedia for what is not acceptable. The blobs are read outside of any
        transaction; they cannot go meanwhile, for asking for them renews their grace.
        """
        check_name(name)
        if (known := self._by_key(name, create.idempotency_key)) is not None:
            return known, False
        return self._insert(name, self.draft(create))

    def draft(self, create: ModelVersionCreate) -> Draft:
        """What the version would be. Raises Invalid and UnsupportedMedia for what is not acceptable."""
        check_files(create.files)
        rows = [BlobRow(file.sha256, file.size_bytes) for file in create.files]
        check_sizes(create.files, self._blobs.claim(rows))
        facts = read_facts(self._store, create.files)
        base = self._base(facts, create.lineage)
        return Draft(create, _with_base(facts, base), base)

    def insert(self, connection: Connection, name: str, draft: Draft) -> ModelVersionView:
        """Commit `draft` as the next version of `name`, whose repository is locked already: that comes first. Raises
        Invalid when its base was deleted meanwhile."""
        create = draft.create
        if draft.base is not None and not repository.hold_version(connection, draft.base.id):
            raise _no_base(draft.base.id, None)
        version_id = repository.insert_version(
            connection,
            repository.lock_model(connection, name),
            files=create.files,
            facts=draft.facts,
            source=create.source,
            lineage=create.lineage,
            idempotency_key=create.idempotency_key,
            base_id=draft.base.id if draft.base else None,
        )
        note_parents(connection, version_id, _origin(create.lineage, draft.base))
        version = repository.find_version_by_id(connection, version_id)
        assert version is not None
        return version

    def list(self, *, search: str | None, kind: str | None, cursor: str | None, limit: int) -> Page[ModelView]:
        """One page of models, newest first. Raises Invalid for a foreign cursor."""
        before = str(decode_cursor(cursor, str)[0]) if cursor else None
        with UnitOfWork(self._engine, snapshot=True) as tx:
            found, total = repository.list_models(
                tx.connection, search=search, kind=kind, before=before, limit=limit + 1
            )
        following = encode_cursor(found[limit - 1].id) if len(found) > limit else None
        return Page[ModelView](items=found[:limit], next_cursor=following, total=total)

    def versions(self, name: str, *, cursor: str | None, limit: int) -> Page[ModelVersionView]:
        """One page of a model's versions, newest first. Raises NotFound."""
        before = decode_cursor(cursor, int)[0] if cursor else None
        with UnitOfWork(self._engine, snapshot=True) as tx:
            found, total = repository.list_versions(tx.connection, name, before=_bounded(before), limit=limit + 1)
        if total == 0:
            raise absent(name)
        following = encode_cursor(found[limit - 1].version) if len(found) > limit else None
        return Page[ModelVersionView](items=found[:limit], next_cursor=following, total=total)

    def get(self, name: str, version: str | None = None) -> ModelView:
        """The model; `latest` is the version (a number or an alias) where one is asked for. Raises NotFound."""
        with UnitOfWork(self._engine, snapshot=True) as tx:
            found = repository.find_model(tx.connection, name, version)
        if found is None:
            raise absent(name, version)
        return found

    def version_id(self, name: str, version: str | None = None) -> str | None:
        """Of the version that the model's name and `version` stand for now; None where there is none."""
        with UnitOfWork(self._engine) as tx:
            return repository.version_id(tx.connection, name, version)

    def locate(self, name: str, version: str | None = None) -> ModelLocation:
        """Where the files of a version are, and of its base. Raises NotFound."""
        with UnitOfWork(self._engine, snapshot=True) as tx:
            found = repository.find_version(tx.connection, name, version)
            if found is None:
                raise absent(name, version)
            chain = _chain(tx.connection, found)
        location = None
        for link in reversed(chain):
            location = ModelLocation(version=link, bucket=self._store.bucket, prefix=PREFIX, base=location)
        assert location is not None
        return location

    def file(self, name: str, path: str, version: str | None = None) -> ModelFile:
        """A file of a version. Raises NotFound."""
        found = self.get(name, version).latest
        for file in found.files:
            if file.path == path:
                return file
        raise NotFound(f"The version {found.version} of {name!r} has no file {path!r}.")

    def delete(self, name: str, version: str | None = None) -> None:
        """Remove a model, or one version. Raises NotFound; Conflict when others were trained on it, or an alias points
        to it."""
        with UnitOfWork(self._engine) as tx:
            if not self.remove(tx.connection, name, version):
                raise absent(name, version)

    def remove(self, connection: Connection, name: str, version: str | None = None) -> bool:
        """Remove a model with its repository, or one version with its commit; whether it was there. Raises Conflict."""
        history.lock(connection, name)
        model_id = repository.find_model_id(connection, name)
        chosen = repository.find_version(connection, name, version) if version is not None else None
        if model_id is None or (version is not None and chosen is None):
            return False
        ids = [chosen.id] if chosen is not None else repository.version_ids(connection, model_id)
        repository.lock_versions(connection, ids)
        _refuse_aliases(connection, name, ids)
        _refuse_bases(connection, name, ids)
        for version_id in ids:
            touch_of_version(connection, version_id)
            repository.delete_version(connection, model_id, version_id)
        if chosen is not None:
            history.forget_version(connection, name, chosen.version)
        if repository.find_model_id(connection, name) is None:
            history.forget_model(connection, name)
        return True

    def _by_key(self, name: str, key: str | None) -> ModelVersionView | None:
        if key is None:
            return None
        with UnitOfWork(self._engine) as tx:
            return repository.find_version_by_key(tx.connection, name, key)

    def _base(self, facts: ModelFacts, lineage: dict[str, Any]) -> ModelVersionView | None:
        """The version that lineage names as the base; an adapter needs one, if only by its base's name."""
        version_id = lineage.get("base_version_id", lineage.get("baseVersionId"))
        with UnitOfWork(self._engine) as tx:
            base = None
            if version_id is not None:
                base = repository.find_version_by_id(tx.connection, str(version_id))
            elif facts.kind == "adapter" and facts.base_model:
                base = repository.find_version(tx.connection, facts.base_model)
            if base is None and (version_id is not None or facts.kind == "adapter"):
                raise _no_base(version_id, facts.base_model)
            if base is not None and len(_chain(tx.connection, base)) >= _LONGEST_CHAIN:
                raise Invalid(f"Adapters upon adapters, deeper than {_LONGEST_CHAIN}.")
        return base if facts.kind == "adapter" else None

    def _insert(self, name: str, draft: Draft) -> tuple[ModelVersionView, bool]:
        """Also a commit of the model's repository. The files are read before the transaction begins."""
        tree = entries_of(self._store, draft.create.files)
        meta = meta_of(self._store, MODELS, tree)
        with UnitOfWork(self._engine) as tx:
            history.open_repository(tx.connection, MODELS, name)
            key = draft.create.idempotency_key
            known = repository.find_version_by_key(tx.connection, name, key) if key is not None else None
            if known is not None:
                return known, False
            with self._blobs.kept(tx.connection):
                version = self.insert(tx.connection, name, draft)
                history.record_version(tx.connection, version, tree, meta)
        return version, True


def _origin(lineage: Mapping[str, Any], base: ModelVersionView | None) -> dict[str, Any]:
    """What a version was made from; an adapter that names no base has one all the same."""
    return {**({"base_version_id": base.id} if base else {}), **lineage}


def _with_base(facts: ModelFacts, base: ModelVersionView | None) -> ModelFacts:
    """An adapter speaks like its base: the same architecture, context and template, unless it brings its own."""
    if base is None:
        return facts
    inherited = {
        "model_type": facts.model_type or base.facts.model_type,
        "architectures": facts.architectures or base.facts.architectures,
        "context_length": facts.context_length or base.facts.context_length,
        "has_chat_template": facts.has_chat_template or base.facts.has_chat_template,
        "base_model": base.model,
        "license": facts.license or base.facts.license,
    }
    return facts.model_copy(update=inherited)


def _chain(connection: Connection, version: ModelVersionView) -> list[ModelVersionView]:
    """The version, its base, the base of that and so on."""
    chain = [version]
    while (base := repository.base_of(connection, chain[-1].id)) is not None:
        chain.append(base)
    return chain


def _refuse_aliases(connection: Connection, name: str, ids: Sequence[str]) -> None:
    if pointing := sorted(alias for found in aliases_of(connection, ids).values() for alias in found):
        names = ", ".join(f"{name}@{alias}" for alias in pointing)
        raise Conflict(
            f"{names} points to what is to be deleted.", hint="Point the alias to another version, or delete it first."
        )


def _refuse_bases(connection: Connection, name: str, ids: Sequence[str]) -> None:
    if others := repository.dependants(connection, ids):
        raise Conflict(
            f"{name!r} is the base of {', '.join(others)}, which cannot be used without it.",
            hint="Delete those first.",
        )


def _no_base(version_id: object, base_model: str | None) -> Invalid:
    message = (
        f"There is no version {version_id!r}."
        if version_id is not None
        else (
            f"An adapter needs the version it was trained on; its config names {base_model!r}, which is not installed."
        )
    )
    error = FieldError("lineage.base_version_id", message, "unknown_base")
    return Invalid("The base model is not known.", errors=[error])


def _bounded(number: object) -> int | None:
    """A cursor's number as one the database can hold."""
    return max(0, min(number, (1 << 31) - 1)) if isinstance(number, int) else None
