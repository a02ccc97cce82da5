"""Push jobs: a model version goes to a repository of a hub."""

from __future__ import annotations

from urllib.parse import urlsplit

from gateway.jobs.draft import Draft, as_submitted
from gateway.jobs.queries import PushCreate
from gateway.jobs.resolve import Installed, find_model, model_ref, not_acceptable
from gateway.jobs.submitted import Given
from kargah.contracts.jobs import JobConfig
from kargah.domain.errors import FieldError


def push_draft(create: PushCreate, installed: Installed) -> Draft:
    """Raises Invalid for a model that is not there, or an endpoint that can be none; Unavailable."""
    found = find_model(Given(create.model, "model"), installed)
    errors = [error for error in (found, _bad_endpoint(create.endpoint)) if isinstance(error, FieldError)]
    if isinstance(found, FieldError) or errors:
        raise not_acceptable(errors)
    endpoint = create.endpoint.rstrip("/") if create.endpoint else None
    params = {
        "repository": create.repository,
        "endpoint": endpoint,
        "revision": create.revision,
        "private": create.private,
    }
    config = JobConfig(recipe="push", base_model=model_ref(found), params=params, submitted=as_submitted(create))
    return Draft(f"push {found.version.model} to {create.repository}", config)


def _bad_endpoint(endpoint: str | None) -> FieldError | None:
    """An address alone: what stands before an `@` would be a password in the job's configuration."""
    if endpoint is None:
        return None
    try:
        parts = urlsplit(endpoint)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
        good = good and not parts.query and not parts.fragment and (parts.port or 1) > 0
    except ValueError:
        good = False
    message = "An http(s) address without a name or a password in it, such as https://hub.example.org."
    return None if good else FieldError("endpoint", message, "bad_endpoint")
