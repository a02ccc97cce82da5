"""What a recipe is, and how one is described to those who submit jobs."""

from __future__ import annotations

from typing import Protocol

from kargah.contracts.jobs import RecipeView
from worker.recipes.params import CommonParams
from worker.trainer.context import Outcome, RunContext


class Recipe(Protocol):
    """A kind of training. Its module imports nothing heavy: torch comes in when `run` is called.

    `model_kinds` are values of `ModelFacts.kind`, `formats` names of dataset formats; `rank` orders the automatic
    choice among recipes that accept a model and a dataset, lowest first.
    """

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def description(self) -> str: ...

    @property
    def model_kinds(self) -> tuple[str, ...]: ...

    @property
    def formats(self) -> tuple[str, ...]: ...

    @property
    def rank(self) -> int: ...

    @property
    def params(self) -> type[CommonParams]: ...

    def run(self, context: RunContext, params: CommonParams) -> Outcome:
        """Train to the end or to a control; raises TrainingError. `params` is an instance of `self.params`."""
        ...


def view(recipe: Recipe) -> RecipeView:
    """How the recipe is published; the Studio draws its form from `params_schema`."""
    return RecipeView(
        name=recipe.name,
        title=recipe.title,
        description=recipe.description,
        model_kinds=list(recipe.model_kinds),
        formats=list(recipe.formats),
        rank=recipe.rank,
        params_schema=recipe.params.model_json_schema(),
    )
