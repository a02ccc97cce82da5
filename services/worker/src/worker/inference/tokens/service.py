"""Answers what would be trained, of the rows asked for and of a sample or all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kargah.contracts.datasets import DatasetVersionView
from kargah.contracts.models import ModelLocation
from kargah.contracts.tokens import DatasetTokens, TokensRequest
from kargah.domain.errors import FieldError, Invalid
from worker.inference.catalogue import Catalogue
from worker.inference.errors import NotUsable
from worker.inference.pool import ModelPool
from worker.inference.tokens.budget import Budget, OutOfTime
from worker.inference.tokens.datasets import Datasets
from worker.inference.tokens.readable import ReadableModel
from worker.recipes.base import Recipe
from worker.recipes.registry import recipe_for, recipe_named
from worker.trainer.errors import TrainingError


@dataclass(frozen=True)
class TokenService:
    """One request per model at a time, each within `seconds` of computing."""

    catalogue: Catalogue
    datasets: Datasets
    pool: ModelPool[ReadableModel]
    seconds: float

    def answer(self, name: str, request: TokensRequest, client_gone: Callable[[], bool]) -> DatasetTokens:
        """Raises NotFound, Invalid, NotUsable, Unavailable, Busy, ClientGone."""
        from worker.inference.tokens.look import Look

        model = self.catalogue.locate_any(request.model)
        dataset = self.datasets.locate(name, request.version)
        _refuse_beyond(dataset.version, request)
        recipe = _recipe(request.recipe, model, dataset.version)
        path = self.datasets.fetch(dataset)
        with self.pool.turn(model) as readable:
            try:
                look = Look.begin(readable, recipe, path, dataset.version, request)
                return look.answer(model.version, Budget(self.seconds), client_gone)
            except TrainingError as error:
                raise NotUsable(error.message, error.hint) from error
            except OutOfTime as error:
                message = f"The first rows took more than {self.seconds:g} s to render."
                raise NotUsable(message, "Ask for fewer rows, or look at the model's chat template.") from error


def _refuse_beyond(version: DatasetVersionView, request: TokensRequest) -> None:
    if request.rows.limit and request.rows.offset >= version.stats.rows:
        message = f"the version has {version.stats.rows:,} rows"
        told = FieldError("rows.offset", f"must be less than {version.stats.rows:,}: rows are counted from 0 here")
        raise Invalid(f"There is no row {request.rows.offset + 1:,}: {message}.", None, [told])


def _recipe(wanted: str | None, model: ModelLocation, version: DatasetVersionView) -> Recipe:
    kind = model.version.facts.kind
    try:
        if wanted is None:
            return recipe_for(kind, version.format)
        recipe = recipe_named(wanted)
    except TrainingError as error:
        field = "model" if wanted is None else "recipe"
        raise Invalid(error.message, error.hint, [FieldError(field, error.message, error.code)]) from error
    if kind not in recipe.model_kinds or version.format not in recipe.formats:
        message = f"The recipe {wanted} does not train {kind} models on {version.format} rows."
        raise Invalid(message, "Leave it out, and it is chosen.", [FieldError("recipe", message, "misfit")])
    return recipe
