"""The recipes that this package holds, found by scanning its folder."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

import worker.recipes
from worker.recipes.base import Recipe
from worker.trainer.errors import TrainingError


@cache
def recipes() -> Mapping[str, Recipe]:
    """Every recipe by name. Raises ValueError when two modules claim one name."""
    modules = (
        importlib.import_module(f"{worker.recipes.__name__}.{found.name}")
        for found in pkgutil.iter_modules(worker.recipes.__path__)
    )
    return collect(module.RECIPE for module in modules if hasattr(module, "RECIPE"))


def collect(found: Iterable[Recipe]) -> Mapping[str, Recipe]:
    """By name. Raises ValueError upon a collision, naming both titles."""
    by_name: dict[str, Recipe] = {}
    for recipe in found:
        if recipe.name in by_name:
            raise ValueError(f"Two recipes are called {recipe.name!r}: {by_name[recipe.name].title}, {recipe.title}")
        by_name[recipe.name] = recipe
    return MappingProxyType(by_name)


def recipe_named(name: str) -> Recipe:
    """The recipe; an unknown name is a permanent error that lists what there is."""
    recipe = recipes().get(name)
    if recipe is None:
        known = ", ".join(sorted(recipes()))
        raise TrainingError("unknown_recipe", f"There is no recipe called {name!r} on this worker.", f"Known: {known}.")
    return recipe


def recipe_for(model_kind: str, dataset_format: str) -> Recipe:
    """The recipe of lowest rank that trains such a model on such rows. Raises TrainingError that lists the others."""
    fitting = [each for each in recipes().values() if model_kind in each.model_kinds and dataset_format in each.formats]
    if fitting:
        return min(fitting, key=lambda recipe: (recipe.rank, recipe.name))
    known = "; ".join(f"{each.name}: {', '.join(each.model_kinds)}" for each in recipes().values())
    message = f"No recipe trains {model_kind} models on {dataset_format} rows."
    raise TrainingError("no_recipe", message, f"What there is: {known}.")
