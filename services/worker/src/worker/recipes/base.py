"""What a recipe is, and how one is described to those who submit jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kargah.contracts.jobs import RecipeView
from worker.recipes.params import CommonParams

if TYPE_CHECKING:
    from worker.trainer.material import Material
    from worker.trainer.reading import Reading, Source
    from worker.trainer.session import Session


class Recipe(Protocol):
    """A kind of training. Its module imports nothing heavy: torch comes in when `material` is called.

    `model_kinds` are values of `ModelFacts.kind` that it trains, `measures` those that it evaluates, `formats` names of
    dataset formats; `rank` orders the automatic choice among recipes that accept a model and a dataset, lowest first.
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
    def measures(self) -> tuple[str, ...]: ...

    @property
    def rank(self) -> int: ...

    @property
    def params(self) -> type[CommonParams]: ...

    def reading(self, source: Source, params: CommonParams) -> Reading:
        """Which tokens rows become and which are learnt; `material` encodes with the same. Raises TrainingError."""
        ...

    def material(self, session: Session, params: CommonParams) -> Material:
        """What is trained or measured; raises TrainingError. `params` is an instance of `self.params`."""
        ...


def view(recipe: Recipe) -> RecipeView:
    """How the recipe is published; the Studio draws its form from `params_schema`."""
    return RecipeView(
        name=recipe.name,
        title=recipe.title,
        description=recipe.description,
        model_kinds=list(recipe.model_kinds),
        formats=list(recipe.formats),
        measures=list(recipe.measures),
        rank=recipe.rank,
        params_schema=recipe.params.model_json_schema(),
    )
