"""`python -m worker.trainer.describe`: the recipes as a JSON list of RecipeView. Imports no torch."""

from __future__ import annotations

import json
import sys

from worker.recipes.base import view
from worker.recipes.registry import recipes


def described() -> str:
    """By rank, then name."""
    views = [view(recipe) for recipe in sorted(recipes().values(), key=lambda recipe: (recipe.rank, recipe.name))]
    return json.dumps([each.model_dump(by_alias=True) for each in views], ensure_ascii=False)


if __name__ == "__main__":
    sys.stdout.write(described() + "\n")
