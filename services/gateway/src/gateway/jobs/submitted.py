"""Read a submitted `config`: which keys are references, which are the recipe's parameters, and how each was spelled."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kargah.domain.errors import FieldError
from kargah.domain.queue_policy import MOST_DEVICES

_WORD = re.compile(r"(?<=[a-z0-9])([A-Z])")
# What a client may call each reference; the first one given wins, and two different ones are an error.
_REFERENCES: Mapping[str, tuple[str, ...]] = {
    "base_model": ("base_model_path", "base_model"),
    "dataset": ("dataset_path", "dataset"),
    "output_model": ("output_dir", "output_model"),
    "recipe": ("recipe",),
    "advanced": ("advanced",),
    "devices": ("devices",),
    "nodes": ("nodes",),
}
_TYPES: Mapping[str, type] = {"advanced": bool, "devices": int, "nodes": int}
_WANTED: Mapping[type, str] = {
    bool: "Must be true or false.",
    int: f"Must be a whole number, 1 to {MOST_DEVICES}.",
    str: "Must be a text that is not empty.",
}
_DEFAULT_SPELLING = {
    "base_model": "config.baseModelPath",
    "dataset": "config.datasetPath",
    "output_model": "config.outputDir",
    "recipe": "config.recipe",
}


@dataclass(frozen=True, slots=True)
class Given:
    """A value and the field as the caller spelled it, such as `config.learningRate`."""

    value: Any
    field: str


@dataclass(frozen=True, slots=True)
class Submitted:
    """`references` and `params` by their snake_case names; `errors` of the reading itself."""

    references: Mapping[str, Given]
    params: Mapping[str, Given]
    errors: list[FieldError] = field(default_factory=list)

    def given(self, name: str) -> Given:
        """The reference `name`; its value is None when it was not given."""
        return self.references.get(name) or Given(None, _DEFAULT_SPELLING[name])

    @property
    def advanced(self) -> bool:
        given = self.references.get("advanced")
        return given is not None and given.value is True

    @property
    def devices(self) -> int:
        """How many devices of one worker are to share the job: so many on each of `nodes` machines."""
        return self._count("devices") * self._count("nodes")

    def _count(self, name: str) -> int:
        given = self.references.get(name)
        return 1 if given is None else int(given.value)


def read_config(config: Mapping[str, Any]) -> Submitted:
    """Sort the members of `config`; keys may be camelCase or snake_case. A reference that is null is not given."""
    by_name: dict[str, Given] = {}
    errors = []
    for spelling, value in config.items():
        name, path = snake_case(spelling), f"config.{spelling}"
        if name in by_name:
            errors.append(FieldError(path, f"The same as {by_name[name].field}: give one of them.", "doubled"))
        else:
            by_name[name] = Given(value, path)
    references = {}
    for reference, names in _REFERENCES.items():
        found = [by_name.pop(name) for name in names if name in by_name]
        chosen, complaints = _one_of(reference, [given for given in found if given.value is not None])
        errors += complaints
        if chosen is not None:
            references[reference] = chosen
    submitted = Submitted(references, by_name, errors)
    if submitted.devices > MOST_DEVICES:
        message = f"{submitted.devices} devices in all are too many: {MOST_DEVICES} at most."
        errors.append(FieldError(references["nodes"].field, message, "too_large"))
    return submitted


def snake_case(name: str) -> str:
    """`learningRate` is `learning_rate`; what is snake_case already stays."""
    return _WORD.sub(r"_\1", name).lower()


def camel_case(name: str) -> str:
    """`learning_rate` is `learningRate`."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _one_of(reference: str, found: list[Given]) -> tuple[Given | None, list[FieldError]]:
    if not found:
        return None, []
    wanted = _TYPES.get(reference, str)
    errors = [_wrong_type(given, wanted) for given in found if not _fits(given.value, wanted)]
    if not errors and any(given.value != found[0].value for given in found):
        errors = _contradiction(found[1:], found[0])
    return (None, errors) if errors else (found[0], [])


def _fits(value: Any, wanted: type) -> bool:
    if wanted is int:
        return type(value) is int and 1 <= value <= MOST_DEVICES
    return isinstance(value, wanted) and value != ""


def _wrong_type(given: Given, wanted: type) -> FieldError:
    return FieldError(given.field, _WANTED[wanted], "wrong_type")


def _contradiction(others: Iterable[Given], first: Given) -> list[FieldError]:
    return [FieldError(other.field, f"Contradicts {first.field}: give one of them.", "doubled") for other in others]
