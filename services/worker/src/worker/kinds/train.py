"""Kind `train`: a recipe's material through the loop that all recipes share."""

from __future__ import annotations

from worker.kinds.prepare import prepare
from worker.recipes.registry import recipe_named
from worker.trainer.context import Outcome, RunContext
from worker.trainer.fit import fit


def run(context: RunContext) -> Outcome:
    """Raises TrainingError."""
    recipe = recipe_named(context.spec.recipe)
    session = prepare(context, recipe, context.spec.params)
    return fit(session, recipe.material(session, session.params))
