"""The history of a version, both ways."""

from __future__ import annotations

from kargah.contracts.models import LineageView
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from registry.lineage import repository
from registry.models.absent import absent
from registry.models.repository import find_version


class LineageService:
    """Safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def view(self, name: str, version: str | None) -> LineageView:
        """Raises NotFound, Unavailable."""
        with UnitOfWork(self._engine) as tx:
            found = find_version(tx.connection, name, version)
            if found is None:
                raise absent(name, version)
            above = repository.ancestors(tx.connection, found.id)
            below = repository.descendants(tx.connection, found.id)
        return LineageView(version=found, ancestors=above, descendants=below)
