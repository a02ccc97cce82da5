"""Which recipe a job runs: the one asked for, or the first that takes this kind of model and data."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from kargah.contracts.jobs import RecipeView
from kargah.domain.errors import FieldError, Unavailable


def named_recipe(recipes: Sequence[RecipeView], name: str, field: str) -> RecipeView | FieldError:
    """The recipe called `name`, or what to tell the caller."""
    for recipe in recipes:
        if recipe.name == name:
            return recipe
    names = [recipe.name for recipe in recipes]
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(names)}."
    return FieldError(field, f"There is no recipe {name!r}. {hint}", "unknown_recipe")


def automatic_recipe(
    recipes: Sequence[RecipeView], model_kind: str, dataset_format: str, field: str
) -> RecipeView | FieldError:
    """The recipe of lowest rank that fits both, or what there is instead."""
    fitting = [recipe for recipe in recipes if misfit(recipe, model_kind, dataset_format) is None]
    if fitting:
        return min(fitting, key=lambda recipe: (recipe.rank, recipe.name))
    options = "; ".join(f"{recipe.name}: {accepts(recipe)}" for recipe in recipes)
    message = f"No recipe takes {model_kind} models with {dataset_format} rows. What there is: {options}."
    return FieldError(field, message, "no_recipe")


def misfit(recipe: RecipeView, model_kind: str, dataset_format: str) -> str | None:
    """Why `recipe` cannot do it, None if it can."""
    if recipe.model_kinds and model_kind not in recipe.model_kinds:
        return f"The recipe {recipe.name} takes {', '.join(recipe.model_kinds)} models, and this one is {model_kind}."
    if recipe.formats and dataset_format not in recipe.formats:
        return f"The recipe {recipe.name} takes {', '.join(recipe.formats)} rows, and these are {dataset_format}."
    return None


def accepts(recipe: RecipeView) -> str:
    """`causal_lm models with messages or text rows`."""
    return f"{' or '.join(recipe.model_kinds) or 'any'} models with {' or '.join(recipe.formats) or 'any'} rows"


def require_recipes(recipes: Sequence[RecipeView]) -> None:
    """Raises Unavailable while no worker has ever said what it can train with."""
    if not recipes:
        raise Unavailable(
            "No worker has told yet what it can train with.",
            hint="Start a worker (`kargah up` starts one); it publishes its recipes within seconds.",
        )
