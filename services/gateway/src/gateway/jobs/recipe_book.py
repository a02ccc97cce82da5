"""The recipes that workers have published: asked for at each submission, read only when one has changed."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from gateway.shared_answer import SharedAnswer
from kargah.contracts.jobs import RecipeView
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.jobstore import recipe_repository


class RecipeBook:
    """Safe to share between threads; what it gives must not be changed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._shared: SharedAnswer[Sequence[RecipeView]] = SharedAnswer()
        self._marks: Hashable = None
        self._known: Sequence[RecipeView] = ()

    def current(self) -> Sequence[RecipeView]:
        """All, in the order of the automatic choice. Raises Unavailable."""
        return self._shared.ask(None, self._read)

    def _read(self) -> Sequence[RecipeView]:
        """The marks are read first: what is read after them is at least as new."""
        with UnitOfWork(self._engine) as tx:
            marks = recipe_repository.marks(tx.connection)
            if marks != self._marks:
                self._known, self._marks = recipe_repository.list_recipes(tx.connection), marks
        return self._known
