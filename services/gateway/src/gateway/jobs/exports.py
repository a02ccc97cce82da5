"""Export jobs: an adapter and its base become one model."""

from __future__ import annotations

from gateway.jobs.draft import Draft, as_submitted
from gateway.jobs.queries import ExportCreate
from gateway.jobs.resolve import Installed, find_model, model_ref, not_acceptable
from gateway.jobs.submitted import Given
from kargah.contracts.jobs import JobConfig
from kargah.contracts.models import ModelLocation
from kargah.domain.errors import FieldError
from kargah.domain.names import can_name_model, model_name


def export_draft(create: ExportCreate, installed: Installed) -> Draft:
    """Raises Invalid for a model that is no adapter, or a name that cannot be one; Unavailable."""
    found = find_model(Given(create.model, "model"), installed)
    problem = found if isinstance(found, FieldError) else _whole(found)
    output = _output(create, found)
    errors = [error for error in (problem, output) if isinstance(error, FieldError)]
    if isinstance(found, FieldError) or isinstance(output, FieldError) or errors:
        raise not_acceptable(errors)
    config = JobConfig(
        recipe="export", base_model=model_ref(found), output_model=output, params={}, submitted=as_submitted(create)
    )
    return Draft(f"export {found.version.model} as {output}", config)


def _whole(location: ModelLocation) -> FieldError | None:
    kind = location.version.facts.kind
    if kind == "adapter" and location.base is not None:
        return None
    message = f"{location.version.model} is no adapter but a {kind} model with all of its weights: nothing to merge."
    return FieldError("model", message, "not_an_adapter")


def _output(create: ExportCreate, found: ModelLocation | FieldError) -> str | FieldError:
    if create.output_model is None:
        return "" if isinstance(found, FieldError) else f"{found.version.model}-merged"
    name = model_name(create.output_model)
    if can_name_model(name):
        return name
    return FieldError("outputModel", "Not a name for a model. Letters, digits, '.', '_', '-'.", "bad_name")
