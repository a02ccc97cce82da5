"""What formats say of recipes is what recipes say of formats; a job on the rest is refused with what there is."""

from __future__ import annotations

import pytest

from gateway.jobs.choose import automatic_recipe
from kargah.domain.errors import FieldError
from kargah.formats.registry import formats
from worker.recipes.base import view
from worker.recipes.registry import recipes


def test_formats_know_whether_a_recipe_trains_them() -> None:
    accepted = {name for recipe in recipes().values() for name in recipe.formats}
    assert accepted == {name for name, shape in formats().items() if shape.trained}


@pytest.mark.parametrize("name", [name for name, shape in formats().items() if not shape.trained])
@pytest.mark.parametrize("kind", ["causal_lm", "encoder", "classifier"])
def test_a_job_on_a_format_without_a_recipe_is_refused(name: str, kind: str) -> None:
    answer = automatic_recipe([view(recipe) for recipe in recipes().values()], kind, name, "datasetPath")
    assert isinstance(answer, FieldError)
    assert answer.code == "no_recipe"
    assert f"{kind} models with {name} rows" in answer.message
