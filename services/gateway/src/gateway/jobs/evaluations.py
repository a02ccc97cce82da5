"""Evaluation jobs: which model is measured on which rows, by which recipe's own measures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.jobs.choose import require_recipes
from gateway.jobs.draft import Draft, as_submitted
from gateway.jobs.params import check_params
from gateway.jobs.queries import EvaluationCreate
from gateway.jobs.resolve import Installed, chosen_recipe, dataset_ref, find_inputs, model_ref, not_acceptable
from gateway.jobs.submitted import Given, Submitted, read_config
from kargah.contracts.jobs import JobConfig, RecipeView
from kargah.domain.errors import FieldError

_MAX_ROWS = {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 10**9}, {"type": "null"}], "default": None}
_LONGEST_NAME = 200


def evaluation_draft(create: EvaluationCreate, recipes: Sequence[RecipeView], installed: Installed) -> Draft:
    """Raises Invalid, naming each field as the caller spelled it, or Unavailable."""
    require_recipes(recipes)
    model, doubled = _model(create)
    submitted = read_config(create.config)
    wrong = [*doubled, *submitted.errors, *_misplaced(submitted)]
    if wrong:
        raise not_acceptable(wrong)
    inputs, missing = find_inputs(model, Given(create.dataset, "dataset"), installed)
    recipe, unfit = chosen_recipe(Given(create.recipe, "recipe"), measuring(recipes), inputs)
    params, errors = ({}, []) if recipe is None else _params(recipe, submitted)
    if errors := [*missing, *unfit, *errors]:
        raise not_acceptable(errors)
    assert inputs is not None and recipe is not None  # otherwise there are errors
    config = JobConfig(
        recipe=recipe.name,
        base_model=model_ref(inputs.model),
        dataset=dataset_ref(inputs.dataset),
        params=params,
        devices=submitted.devices,
        submitted=as_submitted(create),
    )
    name = create.name or f"evaluate {model.value} on {create.dataset}"
    return Draft(name[:_LONGEST_NAME], config)


def measuring(recipes: Sequence[RecipeView]) -> list[RecipeView]:
    """Those that can measure, as they take models and parameters for it."""
    return [
        recipe.model_copy(update={"model_kinds": recipe.measures, "params_schema": _schema(recipe.params_schema)})
        for recipe in recipes
        if recipe.measures
    ]


def _schema(schema: dict[str, Any]) -> dict[str, Any]:
    kept = {name: part for name, part in schema.get("properties", {}).items() if part.get("measures") is True}
    return {"type": "object", "$defs": schema.get("$defs", {}), "properties": {"max_rows": _MAX_ROWS, **kept}}


def _params(recipe: RecipeView, submitted: Submitted) -> tuple[dict[str, Any], list[FieldError]]:
    return check_params(recipe.params_schema, submitted.params, advanced=submitted.advanced)


def _model(create: EvaluationCreate) -> tuple[Given, list[FieldError]]:
    model, base = Given(create.model, "model"), Given(create.base_model, "baseModel")
    if model.value is not None and base.value is not None:
        return model, [FieldError("baseModel", "The same as model: give one of them.", "doubled")]
    return (base if model.value is None and base.value is not None else model), []


def _misplaced(submitted: Submitted) -> list[FieldError]:
    """Model, dataset and recipe stand beside `config`; an evaluation makes no model."""
    return [
        FieldError(given.field, "Has no place in the config of an evaluation.", "unknown_field")
        for name, given in submitted.references.items()
        if name not in ("advanced", "devices", "nodes")
    ]
