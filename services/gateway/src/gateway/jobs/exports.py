"""Export jobs: an adapter and its base become one model, or a model becomes one file for other tools."""

from __future__ import annotations

from typing import Any

from gateway.jobs.draft import Draft, as_submitted
from gateway.jobs.queries import ExportCreate
from gateway.jobs.resolve import Installed, find_model, model_ref, not_acceptable
from gateway.jobs.submitted import Given
from kargah.contracts.jobs import JobConfig
from kargah.contracts.models import ModelLocation
from kargah.domain.errors import FieldError
from kargah.domain.names import can_name_model, model_name

_GGUF_TYPES = ("llama",)
_ENDINGS = {"safetensors": "merged", "gguf": "gguf"}


def export_draft(create: ExportCreate, installed: Installed) -> Draft:
    """Raises Invalid for a model that cannot be exported so, or a name that cannot be one; Unavailable."""
    found = find_model(Given(create.model, "model"), installed)
    problems = [found] if isinstance(found, FieldError) else [*_unfit(create, found)]
    output = _output(create, found)
    errors = [error for error in (*problems, output) if isinstance(error, FieldError)]
    if isinstance(found, FieldError) or isinstance(output, FieldError) or errors:
        raise not_acceptable(errors)
    config = JobConfig(
        recipe="export",
        base_model=model_ref(found),
        output_model=output,
        params=_params(create),
        submitted=as_submitted(create),
    )
    return Draft(f"export {found.version.model} as {output}", config)


def _params(create: ExportCreate) -> dict[str, Any]:
    if create.format == "safetensors":
        return {}
    return {"format": create.format, "quantization": create.quantization or "f16"}


def _unfit(create: ExportCreate, location: ModelLocation) -> list[FieldError]:
    if create.format == "gguf":
        return _no_gguf(location)
    errors = _nothing_to_merge(location)
    if create.quantization is not None:
        message = "Goes with the format gguf: safetensors keep the type that the base is stored in."
        errors.append(FieldError("quantization", message, "unfit"))
    return errors


def _nothing_to_merge(location: ModelLocation) -> list[FieldError]:
    kind = location.version.facts.kind
    if kind == "adapter" and location.base is not None:
        return []
    message = f"{location.version.model} is no adapter but a {kind} model with all of its weights: nothing to merge."
    return [FieldError("model", message, "not_an_adapter")]


def _no_gguf(location: ModelLocation) -> list[FieldError]:
    facts = location.version.facts
    model_type = facts.model_type or (location.base.version.facts.model_type if location.base else None)
    if facts.kind in ("causal_lm", "adapter") and model_type in _GGUF_TYPES:
        return []
    what = "a GGUF file already" if facts.kind == "gguf" else f"a {facts.kind} of the type {model_type}"
    message = f"{location.version.model} is {what}. GGUF is written of language models of the type llama."
    return [FieldError("model", message, "unsupported_gguf")]


def _output(create: ExportCreate, found: ModelLocation | FieldError) -> str | FieldError:
    if create.output_model is None:
        return "" if isinstance(found, FieldError) else f"{found.version.model}-{_ENDINGS[create.format]}"
    name = model_name(create.output_model)
    if can_name_model(name):
        return name
    return FieldError("outputModel", "Not a name for a model. Letters, digits, '.', '_', '-'.", "bad_name")
