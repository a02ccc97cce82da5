"""Aliases and tags: point, list, remove."""

from __future__ import annotations

import re

from kargah.contracts.base import Page
from kargah.contracts.models import AliasMove, AliasView, ModelVersionView, TagsChange
from kargah.db.engine import Connection, Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import Conflict, FieldError, Invalid, NotFound
from kargah.domain.names import ALIAS_PATTERN, LATEST
from registry.labels import repository
from registry.models.absent import absent
from registry.models.repository import find_model_id, find_version, find_version_by_id

_MOST_ALIASES = 100
_MOST_TAGS = 100
_ALIAS = re.compile(ALIAS_PATTERN)


class LabelService:
    """Safe to share between threads. Every call may raise Unavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def aliases(self, name: str) -> Page[AliasView]:
        """Those of a model. Raises NotFound."""
        with UnitOfWork(self._engine) as tx:
            found = repository.list_aliases(tx.connection, _locked(tx.connection, name))
        return Page[AliasView](items=found, total=len(found))

    def move(self, name: str, alias: str, move: AliasMove) -> AliasView:
        """Point `name@alias` to a version: whoever asks sees the one or the other, never none.

        Raises NotFound; Invalid for what can be no alias; Conflict when it does not point where it is expected to.
        """
        _check_alias(alias)
        with UnitOfWork(self._engine) as tx:
            model_id = _locked(tx.connection, name)
            version = find_version(tx.connection, name, move.version)
            if version is None:
                raise absent(name, str(move.version))
            before = repository.find_alias(tx.connection, model_id, alias)
            _check_expected(f"{name}@{alias}", before, move.expected)
            if before is None and len(repository.list_aliases(tx.connection, model_id)) >= _MOST_ALIASES:
                raise Conflict(f"{name!r} has {_MOST_ALIASES} aliases already.", hint="Delete one that is not used.")
            repository.move_alias(tx.connection, model_id, alias, version.id)
            moved = repository.find_alias(tx.connection, model_id, alias)
        assert moved is not None
        return moved

    def remove(self, name: str, alias: str) -> None:
        """Raises NotFound."""
        with UnitOfWork(self._engine) as tx:
            if not repository.delete_alias(tx.connection, _locked(tx.connection, name), alias):
                raise NotFound(f"{name!r} has no alias {alias!r}.", hint=f"GET /api/models/{name}/aliases lists them.")

    def change_tags(self, name: str, version: str | None, change: TagsChange) -> ModelVersionView:
        """The version with its tags afterwards. Raises NotFound, Conflict."""
        with UnitOfWork(self._engine) as tx:
            _locked(tx.connection, name)
            found = find_version(tx.connection, name, version)
            if found is None:
                raise absent(name, version)
            if repository.change_tags(tx.connection, found.id, change.add, change.remove) > _MOST_TAGS:
                raise Conflict(f"More than {_MOST_TAGS} tags on one version.", hint="Take some off.")
            changed = find_version_by_id(tx.connection, found.id)
        assert changed is not None
        return changed


def _locked(connection: Connection, name: str) -> str:
    """The model's id, locked: an alias is moved and a version deleted one after the other, in some order."""
    model_id = find_model_id(connection, name)
    if model_id is None:
        raise absent(name)
    return model_id


def _check_alias(alias: str) -> None:
    if _ALIAS.fullmatch(alias) and alias != LATEST:
        return
    message = f"An alias begins with a letter, has letters, digits, '.', '_', '-', at most 64, and is not {LATEST!r}."
    raise Invalid("The path is not acceptable.", errors=[FieldError("alias", message, "bad_alias")])


def _check_expected(where: str, before: AliasView | None, expected: int | None) -> None:
    here = 0 if before is None else before.version
    if expected is not None and expected != here:
        pointed = f"points to version {here}" if here else "does not exist"
        raise Conflict(f"{where} {pointed}, not what was expected.", hint="Somebody moved it: look again, then decide.")
