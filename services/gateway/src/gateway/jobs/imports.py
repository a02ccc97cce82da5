"""Import jobs: a corpus that comes in a package on the worker's side becomes a dataset."""

from __future__ import annotations

from gateway.jobs.draft import Draft, as_submitted
from gateway.jobs.queries import ImportCreate
from gateway.jobs.resolve import not_acceptable
from kargah.contracts.jobs import JobConfig
from kargah.domain.errors import FieldError
from kargah.domain.names import can_name_dataset


def import_draft(create: ImportCreate) -> Draft:
    """Raises Invalid for what cannot name a dataset."""
    if not can_name_dataset(create.name):
        message = "A name is made of letters, digits, . _ - and may have an owner: owner/name."
        raise not_acceptable([FieldError("name", message, "bad_name")])
    params = {"source": create.source, "language": create.language}
    config = JobConfig(recipe="import", output_dataset=create.name, params=params, submitted=as_submitted(create))
    return Draft(f"import {create.source} as {create.name}", config)
