"""What a training and an evaluation begin with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from worker.recipes.base import Recipe
from worker.trainer.context import RunContext
from worker.trainer.errors import TrainingError
from worker.trainer.models import quieten
from worker.trainer.session import Session, open_session


def prepare(context: RunContext, recipe: Recipe, given: Mapping[str, Any]) -> Session:
    """The inputs opened and the parameters `given` checked. Raises TrainingError."""
    context.phase("preparing")
    try:
        params = recipe.params.model_validate(given)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise TrainingError("bad_params", f"Parameters the recipe does not take: {wrong}") from error
    quieten()
    return open_session(context, params)
